import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { DeviceConfig } from '../src/index.js'
import { Roots } from '../src/policy/roots.js'
import { allowStrict } from '../src/policy/shell-policy.js'
import { STRICT_PROGRAMS } from '../src/policy/strict-programs.js'
import { temporaryFolders } from './support/temporary.js'
import { toolCaller } from './support/tool-caller.js'

const folder = temporaryFolders()
const SECRET = 'planted-secret-7f3a'
const PUBLIC = 'public-text-51c2'

/** One way in which a program takes the name of a file. */
interface FileOption {
  short?: string
  long?: string
  /** Words before and after it. */
  before?: readonly string[]
  after?: readonly string[]
  /** It is a word of its own that is followed by the name, such as `-newer` of find. */
  word?: string
}

/** Every option of the allowed programs that names a file or a folder, or makes a program read names from one; `{}` is an operand. */
const OPTIONS: Readonly<Record<string, readonly FileOption[]>> = {
  cat: [{}, { before: ['-n'] }],
  head: [{}, { before: ['-c', '99'] }, { before: ['-9'] }],
  tail: [{}, { before: ['-F'] }, { before: ['-f'] }, { before: ['--follow=name', '--retry'] }, { before: ['-n9'] }],
  cut: [{ before: ['-c', '1-99'] }],
  wc: [{ before: ['-l'] }, { long: 'files0-from' }],
  sort: [
    {},
    { before: ['-m'] },
    { long: 'files0-from' },
    { long: 'random-source', before: ['-R'], after: ['public'] },
    { short: 'T', long: 'temporary-directory', after: ['public'] },
    { short: 'o', long: 'output', after: ['public'] },
    { long: 'compress-program', after: ['public'] },
  ],
  uniq: [{}, { before: ['public'] }],
  md5sum: [{ before: ['-t'] }, { short: 'c', long: 'check' }],
  sha256sum: [{ before: ['-t'] }, { short: 'c', long: 'check' }],
  file: [{}, { before: ['-L'] }, { short: 'f', long: 'files-from' }, { short: 'm', long: 'magic-file', after: ['public'] }],
  grep: [
    { before: ['.'] },
    { before: ['-r', '.'] },
    { before: ['-hR', '.'] },
    { before: ['-d', 'recurse', '.'] },
    { before: ['--directories=recurse', '.'] },
    { before: ['--dir=recurse', '.'] },
    { before: ['--dereference-recursive', '.'] },
    { before: ['-1rh', '.'] },
    { before: ['-e', '.'] },
    { short: 'f', long: 'file', after: ['public'] },
    { long: 'exclude-from', before: ['-r', '.'] },
  ],
  diff: [
    { after: ['public'] },
    { before: ['public'] },
    { before: ['-N', 'public'] },
    { before: ['-1rN', 'empty'] },
    { before: ['-r', 'empty'] },
    { before: ['--recursive', 'empty'] },
    { before: ['-N', 'empty'] },
    { long: 'from-file', after: ['public'] },
    { long: 'to-file', after: ['public'] },
    { short: 'X', long: 'exclude-from', after: ['public', 'public'] },
    { short: 'S', long: 'starting-file', after: ['public', 'public'] },
  ],
  date: [{ short: 'f', long: 'file' }, { short: 'r', long: 'reference' }, {}],
  find: [
    {},
    { word: '-files0-from' },
    { word: '-newer', before: ['.'] },
    { word: '-fprint', before: ['.'] },
    { word: '-exec', before: ['.'] },
  ],
  du: [{}, { before: ['-a'] }, { long: 'files0-from' }, { short: 'X', long: 'exclude-from', before: ['.'] }],
  hostname: [{ short: 'F', long: 'file' }, {}],
  ls: [{ before: ['-laR'] }, { before: ['-L'] }],
  stat: [{}, { before: ['-L'] }],
  df: [{}],
  which: [{}],
  whereis: [{}, { short: 'B' }],
  basename: [{}],
  dirname: [{}],
  realpath: [{}],
  test: [{ before: ['-f'] }],
  tr: [{ before: ['a'] }],
  echo: [{}],
  pwd: [{}],
  uname: [{}],
  whoami: [{}],
  id: [{}],
  uptime: [{}],
  free: [{}],
  cal: [{}],
  ps: [{ short: 'o', long: 'format' }, { word: 'e' }],
  python: [{}, { short: 'c' }],
  python3: [{}, { short: 'c' }, { word: '-Im' }],
}

/** Harmless letters that may come before a short option. */
const BUNDLED: Readonly<Record<string, string>> = {
  grep: 'n',
  diff: 'u',
  sort: 'r',
  file: 'b',
  date: 'u',
  md5sum: 't',
  sha256sum: 't',
  du: 'a',
}

/** Every spelling of an option with its value; abbreviations only where `all` is set. */
function spellings(
  program: string,
  { short, long, word, before = [], after = [] }: FileOption,
  path: string,
  all: boolean,
): string[][] {
  const ways: string[][] = []
  if (short === undefined && long === undefined) ways.push(word === undefined ? [path] : [word, path])
  if (short !== undefined) {
    const bundled = BUNDLED[program] ?? ''
    for (const letters of new Set([short, bundled + short, `1${short}`])) ways.push([`-${letters}${path}`], [`-${letters}`, path])
  }
  if (long !== undefined)
    for (let length = all ? 3 : long.length; length <= long.length; length += 1)
      ways.push([`--${long.slice(0, length)}=${path}`], [`--${long.slice(0, length)}`, path])
  return ways.flatMap((way) =>
    after.length === 0
      ? [[...before, ...way]]
      : [
          [...before, ...way, ...after],
          [...before, ...after, ...way],
        ],
  )
}

describe.runIf(process.platform === 'linux')('the programs of the strict shell', () => {
  it('show nothing of files outside, closed or behind links, by whatever option and spelling', { timeout: 120_000 }, async () => {
    const base = folder()
    const root = join(base, 'root')
    for (const name of ['root/keys', 'root/empty', 'outside/deep']) mkdirSync(join(base, name), { recursive: true })
    for (const name of ['root/keys/public', 'outside/secret', 'outside/public', 'outside/keys'])
      writeFileSync(join(base, name), `${SECRET}\n`)
    writeFileSync(join(root, 'keys/secret'), `${SECRET}\n`)
    writeFileSync(join(root, 'public'), `${PUBLIC}\n`)
    symlinkSync('../outside/deep', join(root, 'deep'))
    symlinkSync('../outside/secret', join(root, 'link'))
    symlinkSync('keys', join(root, 'alias'))
    symlinkSync(join(base, 'outside/secret'), join(root, 'empty/public'))
    const places = [
      join(base, 'outside/secret'),
      '../outside/secret',
      'link',
      'deep/../secret',
      'deep/..',
      './deep/../keys',
      'keys/secret',
      'alias/secret',
      'alias/../keys/secret',
      `/proc/self/root${base}/outside/secret`,
      '/proc/self/cwd/keys/secret',
      `/dev/fd/../cwd/keys/secret`,
      `/var/run/..${base}/outside/secret`,
      'keys',
      '.',
      root,
    ]
    expect(Object.keys(OPTIONS).sort()).toEqual([...STRICT_PROGRAMS.keys()].sort())
    await using tools = await toolCaller({ config: DeviceConfig.parse({}), cwd: root, closedFolders: [join(root, 'keys')] })
    const roots = new Roots({ cwd: root, closed: [join(root, 'keys')] })
    let ran = 0
    const run = async (program: string, words: readonly string[]): Promise<string> => {
      const { result, status } = await tools.call('run_command', { program, args: words, timeout_s: 1 })
      if (status === 'success') ran += 1
      return JSON.stringify(result)
    }
    for (const [program, options] of Object.entries(OPTIONS))
      for (const option of options)
        for (const path of STRICT_PROGRAMS.get(program)?.shows === 'names' ? places.slice(1, 3) : places)
          for (const words of spellings(program, option, path, path === '../outside/secret')) {
            // It would wait for the folder to become a file.
            if (program === 'tail' && words.some((each) => /^(-[fF]|--follow.*)$/.test(each)) && ['.', root].includes(path))
              continue
            // What the shell refuses, the tool refuses: only the rest is worth a process.
            const refused = await allowStrict([program, ...words], root, roots).then(
              () => false,
              () => true,
            )
            if (refused && path !== 'link') continue
            const shown = await run(program, words)
            // Names are shown by design, contents are not.
            expect([program, words, shown.includes(SECRET) && !words.includes(SECRET)]).toEqual([program, words, false])
          }
    expect(ran).toBeGreaterThan(100)
    // The same programs do show what is in the folder: the check above can fail.
    for (const [program, ...words] of [
      ['cat', 'public'],
      ['grep', '-f', 'public', 'public'],
      ['sort', 'public'],
      ['tail', '-n9', 'public'],
      ['date', '-f', 'public'],
    ])
      expect(await run(program ?? '', words)).toContain(PUBLIC)
  })
})
