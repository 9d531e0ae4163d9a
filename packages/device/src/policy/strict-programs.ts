import type { GivenWords, OptionGrammar } from './option-grammar.js'

/** Returns what is wrong with the arguments of a program, or `null`. */
type ArgumentRule = (args: readonly string[]) => string | null

/** A program that shows names, sizes and times at most: it may be asked about every path. */
export interface ShowsNames {
  shows: 'names'
  objection: ArgumentRule | null
}

/** A program that shows what is in files. Every file that its words can name is known, so that each can be judged. */
export interface ShowsContents {
  shows: 'contents'
  options: OptionGrammar
  /** What operands are; with `pattern` the first one is a pattern, unless an option has given that. */
  operands: 'files' | 'pattern' | 'none'
  /** What a folder in place of a file does: the program complains, it opens files by names that are in the folder, or it reads all of it. */
  folders: (given: GivenWords) => 'harmless' | 'refused' | 'read'
  objection: ((given: GivenWords) => string | null) | null
}

/** What is known of a program of the strict shell. */
export type StrictProgram = ShowsNames | ShowsContents

const NAMES: ShowsNames = { shows: 'names', objection: null }

/** Programs that the strict shell may run, by base name: those that only read (mcp-servers reference, chapter 5) and ask no other machine. */
export const STRICT_PROGRAMS: ReadonlyMap<string, StrictProgram> = new Map<string, StrictProgram>([
  ...'ls pwd which whereis tr uname whoami id uptime free df stat echo cal basename dirname realpath test'
    .split(' ')
    .map((name): [string, StrictProgram] => [name, NAMES]),
  ['find', { shows: 'names', objection: find }],
  ['du', { shows: 'names', objection: du }],
  ['ps', { shows: 'names', objection: ps }],
  ['python', { shows: 'names', objection: versionOnly }],
  ['python3', { shows: 'names', objection: versionOnly }],
  ['hostname', { shows: 'names', objection: hostname }],
  [
    'cat',
    contents({
      short: 'AbeEnstTuv',
      long: 'show-all number-nonblank show-ends number squeeze-blank show-tabs show-nonprinting',
    }),
  ],
  ['head', contents({ short: 'c:n:qvz', long: 'bytes: lines: quiet silent verbose zero-terminated', number: 'n' })],
  [
    'tail',
    contents({
      short: 'c:n:fFqvs:z',
      long: 'bytes: lines: follow? max-unchanged-stats: pid: quiet silent retry sleep-interval: verbose zero-terminated',
      number: 'n',
    }),
  ],
  [
    'cut',
    contents({
      short: 'b:c:d:f:nsz',
      long: 'bytes: characters: delimiter: fields: complement only-delimited output-delimiter: zero-terminated',
    }),
  ],
  ['wc', contents({ short: 'cmlwL', long: 'bytes chars lines words max-line-length total:' })],
  [
    'sort',
    contents({
      short: 'bdfgiMhnRrVcCmk:sS:t:uz',
      long:
        'ignore-leading-blanks dictionary-order ignore-case general-numeric-sort ignore-nonprinting month-sort human-numeric-sort ' +
        'numeric-sort random-sort random-source! reverse sort: version-sort batch-size: check? debug key: merge stable buffer-size: ' +
        'field-separator: parallel: unique zero-terminated',
    }),
  ],
  [
    'uniq',
    {
      ...contents({
        short: 'cdDf:is:uw:z',
        long: 'count repeated all-repeated? skip-fields: group? ignore-case skip-chars: unique check-chars: zero-terminated',
      }),
      objection: ({ operands }: GivenWords) => (operands.length > 1 ? 'a second file would be written' : null),
    },
  ],
  ['md5sum', contents({ short: 'btz', long: 'binary tag text zero' })],
  ['sha256sum', contents({ short: 'btz', long: 'binary tag text zero' })],
  [
    'file',
    contents({
      short: 'be:F:hikLnN0rs',
      long:
        'brief exclude: exclude-quiet: separator: no-dereference mime apple extension mime-type mime-encoding keep-going dereference ' +
        'no-buffer no-pad print0 raw special-files',
    }),
  ],
  [
    'grep',
    {
      ...contents({
        short: 'EFGPe:f!iywxzsvVm:bnHhoqaId:D:rLlcTZA:B:C:Uu0123456789',
        long:
          'extended-regexp fixed-strings basic-regexp perl-regexp regexp: file! ignore-case no-ignore-case word-regexp line-regexp null-data ' +
          'no-messages invert-match max-count: byte-offset line-number line-buffered with-filename no-filename label: only-matching quiet ' +
          'silent binary-files: text directories: devices: recursive include: exclude: exclude-from! exclude-dir: files-without-match ' +
          'files-with-matches count initial-tab null before-context: after-context: context: group-separator: no-group-separator color? ' +
          'colour? binary',
      }),
      operands: 'pattern',
      folders: (given) => (isRecursive(given) ? 'read' : 'harmless'),
      objection: grep,
    },
  ],
  [
    'diff',
    {
      ...contents({
        short: 'qscC:uU:enyW:pF:tTNiEZbwBI:aD:d0123456789L:v',
        long:
          'normal brief report-identical-files context? unified? ed rcs side-by-side width: left-column suppress-common-lines ' +
          'show-c-function show-function-line: label: expand-tabs initial-tab tabsize: suppress-blank-empty new-file from-file! to-file! ' +
          'ignore-case ignore-tab-expansion ignore-trailing-space ignore-space-change ignore-all-space ignore-blank-lines ' +
          'ignore-matching-lines: text strip-trailing-cr ifdef: minimal horizon-lines: speed-large-files color? palette: line-format: ' +
          'old-line-format: new-line-format: unchanged-line-format: old-group-format: new-group-format: unchanged-group-format: ' +
          'changed-group-format:',
      }),
      // Links in folders may lead anywhere, and the other operand chooses among their files.
      folders: () => 'refused',
    },
  ],
  [
    'date',
    {
      ...contents({
        short: 'd:f!I?r!Ru',
        long: 'date: debug file! iso-8601? reference! resolution rfc-email rfc-2822 rfc-3339: universal utc uct',
      }),
      operands: 'none',
      objection: date,
    },
  ],
])

function contents(options: OptionGrammar): ShowsContents {
  return { shows: 'contents', options, operands: 'files', folders: () => 'harmless', objection: null }
}

/** What grep does with folders. It also takes the first letters of these words; only whole words are allowed. */
function directoriesOf({ options }: GivenWords): (string | null)[] {
  return options.filter(({ name }) => name === '-d' || name === '--directories').map(({ value }) => value)
}

function grep(given: GivenWords): string | null {
  const bad = directoriesOf(given).find((value) => value === null || !['read', 'skip', 'recurse'].includes(value))
  return bad === undefined ? null : `it takes read, skip or recurse for folders, not ${bad}`
}

function isRecursive(given: GivenWords): boolean {
  return given.options.some(({ name }) => name === '-r' || name === '--recursive') || directoriesOf(given).includes('recurse')
}

function find(args: readonly string[]): string | null {
  const bad = args.find((arg) => /^-(exec|ok|delete|fprint|fls)/.test(arg))
  if (bad !== undefined) return `the action ${bad} changes files or starts programs`
  return args.includes('-files0-from') ? 'with -files0-from it shows names from a file' : null
}

/** `du` shows the names that it reads from a file, which may be any text. */
function du(args: readonly string[]): string | null {
  const bad = args.find((arg) => /^(--f|--exclude-f|-[A-Za-z0-9]*X)/.test(arg))
  return bad === undefined ? null : `with ${bad} it reads names from a file`
}

function versionOnly(args: readonly string[]): string | null {
  return args.length === 1 && (args[0] === '--version' || args[0] === '-V') ? null : 'only --version is allowed'
}

/** Options of `ps` that take a value, as the next word or after `=`. */
const PS_VALUED =
  /^(-[AadefFlLjMHTyNw]*[oOpuUCtgGsq]|o|--(format|pid|ppid|user|User|group|Group|sort|tty|sid|quick-pid|cols|columns|rows|lines|width))$/
/** Options that only choose processes and columns. Without a dash `e` shows environments, where keys are; `-e` is all processes. */
const PS_PLAIN = /^(-[AadefFlLjMHTyNw]+|[aAcfjlLmnrsSTuvwxXZ]+|--(deselect|forest|headers|no-headers|info|context)|[\d,]+)$/

/** `ps` can show the environment of every process of the device's user. */
function ps(args: readonly string[]): string | null {
  for (let at = 0; at < args.length; at += 1) {
    const arg = args[at] ?? ''
    const [name = '', stuck] = arg.startsWith('--') ? arg.split('=', 2) : [arg]
    const [, short, rest] = /^(-[oO])(.+)$/.exec(arg) ?? []
    if (PS_VALUED.test(short ?? name)) {
      const value = rest ?? stuck ?? args[(at += 1)] ?? ''
      if (/env/i.test(value)) return `${value} would show the environment of processes`
    } else if (!PS_PLAIN.test(arg)) return `the option ${arg} could show the environment of processes`
  }
  return null
}

/** `date` shows the time with `+FORMAT`; with any other operand it sets it. */
function date({ operands }: GivenWords): string | null {
  const bad = operands.find((operand) => !operand.startsWith('+'))
  return bad === undefined ? null : `the operand ${bad} would set the clock`
}

function hostname(args: readonly string[]): string | null {
  const shows = /^(-[aAdfiIs]+|--(alias|all-ip-addresses|domain|fqdn|help|ip-address|long|short|version))$/
  return args.every((arg) => shows.test(arg)) ? null : 'only options that show the name are allowed'
}
