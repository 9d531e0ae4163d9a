/** Returns what is wrong with the arguments of a program, or `null`. */
type ArgumentRule = (args: readonly string[]) => string | null

/**
 * Programs that the strict shell may run, by base name: those that only read (mcp-servers reference, chapter 5), with a rule where a
 * program can also write, change the system or start others.
 */
export const STRICT_PROGRAMS: ReadonlyMap<string, ArgumentRule | null> = new Map<string, ArgumentRule | null>([
  ...(
    'ls pwd cat head tail grep which whereis wc cut tr uname whoami id uptime free df du ping traceroute nslookup dig host ' +
    'stat md5sum sha256sum echo cal basename dirname realpath test'
  )
    .split(' ')
    .map((name): [string, null] => [name, null]),
  ['find', find],
  ['ps', ps],
  ['python', versionOnly],
  ['python3', versionOnly],
  ['sort', withoutOptions('o', 'koStT', ['--output', '--compress-program'])],
  ['file', withoutOptions('C', 'eFfmP', ['--compile'])],
  ['diff', withoutOptions('l', 'CDFIUWxXS', ['--paginate'])],
  ['date', date],
  ['hostname', hostname],
  ['uniq', uniq],
])

/** The letters of a bundle of short options such as `-uo`, up to one that takes the rest as its value. */
function letters(arg: string, takesValue: string): string[] {
  if (!/^-[^-]/.test(arg)) return []
  const all = arg.slice(1).split('')
  const end = all.findIndex((letter) => takesValue.includes(letter))
  return end < 0 ? all : all.slice(0, end + 1)
}

/** Returns whether `arg` is one of these long options; programs also take unambiguous abbreviations. */
function isLong(arg: string, options: readonly string[]): boolean {
  const name = arg.split('=', 1)[0] ?? ''
  return name.length > 2 && options.some((option) => option.startsWith(name))
}

function withoutOptions(short: string, takesValue: string, long: readonly string[]): ArgumentRule {
  return (args) => {
    const bad = args.find((arg) => isLong(arg, long) || letters(arg, takesValue).some((letter) => short.includes(letter)))
    return bad === undefined ? null : `the option ${bad} writes files or starts programs`
  }
}

function find(args: readonly string[]): string | null {
  const bad = args.find((arg) => /^-(exec|ok|delete|fprint|fls)/.test(arg))
  return bad === undefined ? null : `the action ${bad} changes files or starts programs`
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
function date(args: readonly string[]): string | null {
  if (withoutOptions('s', 'dfrIs', ['--set'])(args) !== null) return 'setting the clock is not allowed'
  for (let at = 0; at < args.length; at += 1) {
    const arg = args[at] ?? ''
    if (/^(-[uR]*[dr]|--date|--reference)$/.test(arg)) at += 1
    else if (!/^[-+]/.test(arg)) return `the operand ${arg} would set the clock`
  }
  return null
}

function hostname(args: readonly string[]): string | null {
  const shows = /^(-[aAdfiIs]+|--(alias|all-ip-addresses|domain|fqdn|help|ip-address|long|short|version))$/
  return args.every((arg) => shows.test(arg)) ? null : 'only options that show the name are allowed'
}

/** The second operand of `uniq` is a file that it writes; where options end differs between systems, so they come first. */
function uniq(args: readonly string[]): string | null {
  let at = 0
  while (at < args.length) {
    const arg = args[at] ?? ''
    if (arg === '-' || !arg.startsWith('-')) break
    at += /^-[fsw]$/.test(arg) ? 2 : 1
    if (arg === '--') break
  }
  return args.length - at > 1 ? 'a second file would be written (options come before the file)' : null
}
