import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { allowLaunch } from '../src/policy/launch-policy.js'
import type { PolicyViolation } from '../src/policy/policy-violation.js'
import { Roots } from '../src/policy/roots.js'
import { allowCommand } from '../src/policy/shell-policy.js'
import { splitCommand } from '../src/policy/split-command.js'
import { programToRun, systemTool } from '../src/process/find-program.js'
import { temporaryFolders } from './support/temporary.js'

const posix = process.platform !== 'win32'

async function ruleOf(line: string): Promise<string> {
  try {
    await allowCommand(line, 'strict', '/tmp')
    return 'allowed'
  } catch (error) {
    return (error as PolicyViolation).rule
  }
}

function splits(line: string): string[] | null {
  try {
    return splitCommand(line)
  } catch {
    return null
  }
}

describe('splitting a command line', () => {
  it.each([
    [`df -h /`, ['df', '-h', '/']],
    [`  grep  "two words"   'a|b;c$d*'  `, ['grep', 'two words', 'a|b;c$d*']],
    [`echo "say \\"hi\\"" it\\'s ''`, ['echo', 'say "hi"', "it's", '']],
    [`echo a"b"'c'd`, ['echo', 'abcd']],
    [`echo "back\\slash" x#y`, ['echo', 'back\\slash', 'x#y']],
    ['', []],
  ])('splits %s as a shell does', (line, words) => expect(splitCommand(line)).toEqual(words))

  it.each([
    'ls; rm x',
    'ls && rm x',
    'ls | sh',
    'ls & rm',
    'ls > /etc/passwd',
    'cat < x',
    'echo $(id)',
    'echo `id`',
    'echo "`id`"',
    'echo $HOME',
    'echo "$HOME"',
    'echo ${HOME}',
    'ls *',
    'ls a?',
    'ls [ab]',
    'ls {a,b}',
    'ls ~',
    'ls # all',
    'ls\nrm x',
    'ls\rrm x',
    'ls \\\nx',
    'ls \0',
    "ls 'open",
    'ls "open',
    'ls \\',
    '(ls)',
  ])('refuses %j', async (line) => expect(await ruleOf(line)).toBe('shell.operators'))

  it('returns whatever was quoted', () => {
    const quote = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`
    const word = fc.string({ unit: 'binary' }).filter((text) => !text.includes('\0'))
    fc.assert(
      fc.property(fc.array(word), (words) => {
        expect(splitCommand(words.map(quote).join(' '))).toEqual(words)
      }),
    )
  })

  it.runIf(posix)('never splits otherwise than the shell of the system', () => {
    const piece = fc.constantFrom(
      'a',
      'b',
      ' ',
      '\t',
      "'",
      '"',
      '\\',
      '$',
      '`',
      ';',
      '|',
      '*',
      '~',
      '#',
      '{',
      '=',
      '!',
      '-',
      '%',
      '\n',
      'é',
    )
    const lines = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(''))
    fc.assert(
      fc.property(lines, (line) => {
        const words = splits(line)
        // A word such as `a=b` in front would be an assignment to a shell; here it is a program that is not allowed.
        if (words === null || words.length === 0) return
        const printed = execFileSync('/bin/sh', ['-c', `printf '%s\\0' ${line}`], { encoding: 'utf8' })
        expect(printed.split('\0').slice(0, -1)).toEqual(words)
      }),
      { numRuns: 300 },
    )
  })
})

describe.runIf(posix)('the strict shell', () => {
  it.each([
    'ls -la',
    'cat /etc/hostname',
    'find . -name "*.ts" -type f',
    'grep -rn "a|b" .',
    'sort -k 2 -to -u file',
    'date -u +%s',
    "date -d 'next monday' +%A",
    'date --date tomorrow +%A',
    'date -Iseconds',
    'hostname',
    'hostname -f',
    'uniq -c -f 1 file',
    'file -b x',
    'diff -u a b',
    '/bin/ls',
    '../bin/ls',
    'df -h',
  ])('allows %s', async (line) => expect(['allowed', undefined]).toContain(await ruleOf(line)))

  it.each([
    'rm -rf /',
    'bash -c ls',
    'sh',
    'env ls',
    'A=b ls',
    '/tmp/evil',
    'curl http://x',
    '',
    "''",
    'LS',
    'ls.exe',
    '/usr/bin/',
    'xargs rm',
    'node -e 1',
  ])('does not know %j', async (line) => expect(await ruleOf(line)).toBe('shell.allow-list'))

  it.each(['./ls', '/tmp/ls', '/usr/bin/../../tmp/ls', '/usr/local/bin/cat', 'bin/ls', './bin/../ls'])(
    'runs a program only from the folders of the system: not %s',
    async (line) => expect(await ruleOf(line)).toBe('shell.program-path'),
  )

  it.each([
    'find . -delete',
    'find . -exec rm x \\;',
    'find . -execdir rm x +',
    'find . -ok rm x +',
    'find . -okdir rm x +',
    'find . -fprint x',
    'find . -fprint0 x',
    'find . -fprintf x y',
    'find . -fls x',
    'python3 -c 1',
    'python3',
    'python3 x.py',
    'python --version x',
    'python3 -Vc 1',
    'ps e',
    'ps auxe',
    'ps axeww',
    'ps -auxe',
    'ps ewwu 1',
    'ps -o pid,environ',
    'ps -opid,environ',
    'ps --format=environ',
    'ps --format environ',
    'ps -e -o pid,env',
    'sort -o x y',
    'sort -uo x y',
    'sort -ox y',
    'sort --output=x y',
    'sort --out x y',
    'sort y -- -o x',
    'sort --compress-program=sh y',
    'sort --comp sh y',
    'date -s 2020-01-01',
    'date -us 2020-01-01',
    'date --set=2020-01-01',
    'date --date now 010100002030',
    'date --se 2020',
    'date 010100002030',
    'date -d -d 010100002030',
    'date -- 010100002030',
    'hostname evil',
    'hostname -F x',
    'hostname -b evil',
    'uniq in out',
    'uniq -c in out',
    'uniq -f 1 in out',
    'uniq -- in out',
    'uniq - out',
    'file -C -m x',
    'file -bC',
    'file --compile',
    'diff -l a b',
    'diff --paginate a b',
    'diff -ul a b',
  ])('refuses what writes or starts programs: %s', async (line) => expect(await ruleOf(line)).toBe('shell.arguments'))

  it('names the rule and what is wrong', async () => {
    await expect(allowCommand('find . -delete', 'strict', '/')).rejects.toMatchObject({
      code: 'POLICY_DENIED',
      message: "Denied by the device's policy (rule: shell.arguments): find: the action -delete changes files or starts programs",
    })
  })

  it('runs the program of the system under its absolute path, and the full shell as it is', async () => {
    expect((await allowCommand('ls -l', 'strict', '/tmp')).file).toMatch(/^(\/usr)?\/bin\/ls$/)
    expect(await allowCommand('ls | wc', 'full', '/tmp')).toEqual({ file: '/bin/sh', args: ['-c', 'ls | wc'] })
  })
})

describe.runIf(posix)('the strict shell under roots', () => {
  const folder = temporaryFolders()

  async function verdicts(lines: readonly string[]): Promise<string[]> {
    const base = folder()
    const root = join(base, 'root')
    mkdirSync(join(root, 'in'), { recursive: true })
    writeFileSync(join(root, 'a'), 'x')
    writeFileSync(join(base, 'secret'), 'secret')
    symlinkSync('../secret', join(root, 'link'))
    symlinkSync('..', join(root, 'up'))
    symlinkSync('../../outside/deep', join(root, 'in/up'))
    mkdirSync(join(base, 'outside/deep'), { recursive: true })
    writeFileSync(join(base, 'outside/secret'), 'secret')
    symlinkSync('../outside/deep', join(root, 'deep'))
    symlinkSync('../absent', join(root, 'absent-link'))
    const roots = new Roots({ cwd: root })
    return Promise.all(
      lines.map((line) =>
        allowCommand(line.replaceAll('BASE', base), 'strict', root, roots).then(
          () => 'allowed',
          (error: unknown) => (error as PolicyViolation).rule,
        ),
      ),
    )
  }

  const lines = (text: string): string[] => text.trim().split(/\n\s*/)
  const shown = lines(`
    cat a
    cat none
    cat -- a
    cat new/none
    tail -n1 a -v
    tail -F later
    diff a /dev/null
    grep -d skip x a
    grep -5 -c x a
    head -5 a
    head -n1 in/../a
    head -n1 ../root/in/../a
    cat ./a
    grep -rn x .
    grep -e x a
    cut -d/ -f1 a
    sort -t/ a
    wc -l a
    tr / x
    ls /
    du -h /etc
    find / -maxdepth 1
    df -h /
    stat BASE/secret
    echo BASE/secret
    cat /etc/os-release
  `)
  const hidden = lines(`
    cat ../secret
    cat BASE/secret
    cat link
    cat up/secret
    head -n1 in/../../secret
    cat /proc/self/root/etc/passwd
    cat in/up/../secret
    cat deep/../secret
    cat deep/../../secret
    cat up/root/../secret
    cat /dev/fd/../environ
    cat /dev/stdin
    cat /proc/thread-self/environ
    cat absent-link
    cat ../absent
    cat up/absent
    tail -F ../absent
    tail --follow=name --retry up/absent
    tail --fol=name up/absent
    grep x -f ../secret
    grep -f../secret x
    grep -nf../secret x
    grep -flink x
    grep -${'n'.repeat(300)}flink x
    grep --file=../secret x
    grep --exclude-f=deep/../secret x a
    grep --exclude-from=link x
    grep -r x ..
    grep -rn x up
    grep -r x deep/..
    grep -d recurse x ..
    diff --from-file=../secret a
    diff --to-file link a
    diff a link
    diff a deep/../secret
    diff in .
    diff a in
    sort --random-source=link -R a
    uniq up/secret
    date --file=../secret
    date -f deep/../secret
    date -urlink
  `)
  const unknown = lines(`
    grep -R x .
    grep -nR x .
    grep --dereference-recursive x .
    grep --deref x .
    grep -d rec x .
    grep --directories=rec x .
    diff -r in in
    diff -1rN in in
    diff --rec in in
    diff -Sa in in
    diff --starting-file=a in in
    sort --files0-from=a
    sort --files0=a
    sort -k1 -T/tmp link
    wc --files0-from a
    find -files0-from a
    du --files0-from=a
    du -aX a
    md5sum -c a
    md5sum -bc a
    sha256sum --check a
    file -f a
    file -bf a
    file -m a a
    file --files-f a
    cat -- -a
  `)

  it('shows the contents of files under them, and names and sizes everywhere', async () => {
    const rules = await verdicts(shown)
    // A program that is not installed is allowed too, and its error has no rule.
    expect(shown.map((line, at) => [line, rules[at] ?? 'allowed'])).toEqual(shown.map((line) => [line, 'allowed']))
  })

  it('shows no contents of others, by whatever option or link', async () => {
    const rules = await verdicts(hidden)
    expect(hidden.map((line, at) => [line, rules[at]])).toEqual(hidden.map((line) => [line, 'shell.roots']))
  })

  it('takes no option whose effect on files cannot be foreseen', async () => {
    const rules = await verdicts(unknown)
    expect(unknown.map((line, at) => [line, rules[at]])).toEqual(unknown.map((line) => [line, 'shell.arguments']))
  })

  it('gives a program the file that was judged, and options before files', async () => {
    const base = folder()
    mkdirSync(join(base, 'in/deep'), { recursive: true })
    writeFileSync(join(base, 'in/a'), 'x')
    writeFileSync(join(base, 'a'), 'x')
    symlinkSync('in/deep', join(base, 'deep'))
    const args = async (line: string) => (await allowCommand(line, 'strict', base, new Roots({ cwd: base }))).args
    expect(await args('cat in/a a')).toEqual(['in/a', 'a'])
    expect(await args('cat deep/../a -n')).toEqual(['-n', join(base, 'in/a')])
    expect(await args('grep -inf deep/../a a')).toEqual(['-in', '-f', join(base, 'in/a'), 'a'])
    expect(await args('grep --regexp=x --exclude-f deep/../a a')).toEqual([
      '--regexp=x',
      `--exclude-from=${join(base, 'in/a')}`,
      'a',
    ])
    expect(await args('grep -A3 -- -x in/../a')).toEqual(['-A3', '-e', '-x', join(base, 'a')])
    expect(await args('tail -5 a')).toEqual(['-n', '5', 'a'])
    expect(await args('diff --from-file=deep/../a a')).toEqual([`--from-file=${join(base, 'in/a')}`, 'a'])
  })

  it('reads no folder that holds one of the device itself', async () => {
    const base = folder()
    mkdirSync(join(base, 'home/keys'), { recursive: true })
    mkdirSync(join(base, 'other'))
    symlinkSync('home', join(base, 'link'))
    const roots = new Roots({ cwd: base, closed: [join(base, 'home/keys')] })
    const rule = (line: string, cwd = base) =>
      allowCommand(line, 'strict', cwd, roots).then(
        () => 'allowed',
        (error: unknown) => (error as PolicyViolation).rule,
      )
    for (const line of ['grep -r x', 'grep -r x .', 'grep -rh x home', 'grep -d recurse x link', 'grep -hnr . home/keys'])
      expect([line, await rule(line)]).toEqual([line, 'shell.roots'])
    expect(await rule('grep -r x', join(base, 'home'))).toBe('shell.roots')
    expect(await rule('grep -r x other')).toBe('allowed')
    expect(await rule('grep x home')).toBe('allowed')
  })
})

describe('launching applications', () => {
  const folder = temporaryFolders()

  function place() {
    const base = folder()
    for (const name of ['root', 'bin']) mkdirSync(join(base, name))
    writeFileSync(join(base, 'root/my file.txt'), '')
    writeFileSync(join(base, 'secret.html'), '')
    symlinkSync('../secret.html', join(base, 'root/link.html'))
    symlinkSync('my file.txt', join(base, 'root/also.txt'))
    for (const program of ['root/firefox', 'bin/firefox', 'bin/Notepad.exe']) {
      writeFileSync(join(base, program), '#!/bin/sh\n')
      chmodSync(join(base, program), 0o755)
    }
    const cwd = join(base, 'root')
    return { base, place: { cwd, roots: new Roots({ cwd }), env: { PATH: join(base, 'bin') } } }
  }

  it.each([
    ['firefox --new-window x', 'shell.arguments'],
    ['rm x', 'shell.allow-list'],
    ['explorer x.exe', 'shell.allow-list'],
    ['code .', 'shell.allow-list'],
    ['/tmp/firefox', 'shell.program-path'],
    ['./firefox', 'shell.program-path'],
    ['chrome JavaScript:alert', 'shell.arguments'],
    ['firefox http://169.254.169.254/', 'shell.arguments'],
    ['firefox HTTPS://example.org/a', 'shell.arguments'],
    ['firefox file:///etc/passwd', 'shell.arguments'],
    ['firefox about:config', 'shell.arguments'],
    ['firefox view-source:file:///etc/passwd', 'shell.arguments'],
    ['firefox mailto:a@b', 'shell.arguments'],
    ['firefox evil.example', 'shell.roots'],
    ['firefox evil.example/a', 'shell.roots'],
    ['firefox //host/share/x.html', 'shell.roots'],
    ['firefox ../secret.html', 'shell.roots'],
    ['firefox link.html', 'shell.roots'],
    ['firefox; rm x', 'shell.operators'],
    ['powershell -c x', 'shell.allow-list'],
  ])('refuses %s', async (line, rule) => {
    await expect(allowLaunch(line, 'strict', place().place)).rejects.toMatchObject({ rule })
  })

  it.runIf(posix)(
    'takes the name of an application in any case and files of the roots, and starts the one on the PATH',
    async () => {
      const { base, place: at } = place()
      const file = join(base, 'root/my file.txt')
      expect(await allowLaunch('Notepad.exe "my file.txt"', 'strict', at)).toEqual({
        file: join(base, 'bin/Notepad.exe'),
        args: [file],
      })
      expect(await allowLaunch('firefox also.txt', 'strict', at)).toEqual({ file: join(base, 'bin/firefox'), args: [file] })
      await expect(allowLaunch('winword', 'strict', at)).rejects.toThrow('not installed')
    },
  )
})

describe.runIf(posix)('a bare name on Windows', () => {
  const folder = temporaryFolders()

  it('is a program on the PATH, never one of the working folder', async () => {
    const base = folder()
    writeFileSync(join(base, 'npx'), '')
    chmodSync(join(base, 'npx'), 0o755)
    expect(await programToRun('npx', { PATH: base }, 'win32')).toBe(join(base, 'npx'))
    expect(await programToRun('npx', { PATH: '.' }, 'win32')).toBe(null)
    expect(await programToRun('./npx', {}, 'win32')).toBe('./npx')
    expect(systemTool('taskkill.exe')).toMatch(/^[A-Z]:\\.*\\System32\\taskkill\.exe$/)
  })
})
