import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PolicyConfig, type ToolCall } from '../src/index.js'
import { Permits } from '../src/policy/permits.js'
import { Policy } from '../src/policy/policy.js'
import { Roots } from '../src/policy/roots.js'
import { allowCommand } from '../src/policy/shell-policy.js'
import { BUILT_IN_TOOLS } from '../src/tools/built-in-servers.js'
import { temporaryFolders } from './support/temporary.js'

const folder = temporaryFolders()
const linux = process.platform === 'linux'

interface Place {
  rules?: unknown
  shell?: 'strict' | 'full'
  cwd?: string
  env?: Record<string, string>
}

function policy({ rules = [], shell = 'strict', cwd = '/', env = { PATH: '/usr/bin:/bin' } }: Place = {}): Policy {
  return new Policy({ config: PolicyConfig.parse(rules), shell, roots: new Roots({ cwd }), cwd, env, builtIn: BUILT_IN_TOOLS })
}

function call(tool: string, args: Record<string, unknown>, more: Partial<ToolCall> = {}): ToolCall {
  return { tool, toolType: 'action', server: 'x', builtIn: false, trusted: false, readOnly: false, args, ...more }
}

const line = (command: string): ToolCall =>
  call('execute_command', { command }, { server: 'BashExecutor', builtIn: true, trusted: true })
const run = (...[program, ...args]: string[]): ToolCall =>
  call('run_command', { program, args }, { server: 'shell', builtIn: true, trusted: true })

/** `allow`, or what else and by which rule. */
async function verdictOf(place: Place, asked: ToolCall): Promise<string> {
  const { do: action, rule } = await policy(place).decide(asked)
  return action === 'allow' ? 'allow' : `${action} ${rule}`
}

describe('without rules', () => {
  it.each([
    ['a program of the strict list', line('ls -l'), 'allow'],
    ['another program', line('git status'), 'ask shell.allow-list'],
    ['a strict program with an option that writes', line('sort -o x y'), 'ask shell.arguments'],
    ['a line that needs a shell', line('ls | wc'), 'deny shell.operators'],
    [
      'a built-in tool that reads',
      call('list_files', {}, { server: 'files', builtIn: true, trusted: true, readOnly: true }),
      'allow',
    ],
    [
      'one that writes',
      call('write_file', { path: 'a', content: '' }, { server: 'files', builtIn: true, trusted: true }),
      'ask default',
    ],
    ['a tool that says it reads, of a trusted server', call('look', {}, { trusted: true, readOnly: true }), 'allow'],
    ['a tool that says it reads, of any other server', call('look', {}, { readOnly: true }), 'ask default'],
    ['a tool of another server', call('change', {}, { trusted: true }), 'ask default'],
    ['an application', call('run_shell', { bash_command: 'firefox' }, { server: 'CommandLineExecutor', builtIn: true }), 'allow'],
    [
      'an application with an option',
      call('run_shell', { bash_command: 'firefox -P x' }, { server: 'CommandLineExecutor', builtIn: true }),
      'ask shell.arguments',
    ],
    [
      'what is not an application',
      call('run_shell', { bash_command: 'rm x' }, { server: 'CommandLineExecutor', builtIn: true }),
      'ask shell.allow-list',
    ],
    ['a job of its own', call('stop_job', { job_id: 'job-1' }, { server: 'shell', builtIn: true, trusted: true }), 'allow'],
    ['arguments that the tool refuses itself', run(''), 'allow'],
  ])('decides about %s', async (_, asked, expected) => {
    expect(await verdictOf({}, asked)).toBe(expected)
  })

  it('lets an open shell run everything', async () => {
    expect(await verdictOf({ shell: 'full' }, line('rm -rf x; echo $HOME'))).toBe('allow')
    expect(await verdictOf({ shell: 'full' }, run('python3', '-c', 'x'))).toBe('allow')
  })

  it('says of a job that could take commands that it is an open shell', async () => {
    const job = (program: string) => call('start_job', { program }, { server: 'shell', builtIn: true, trusted: true })
    expect((await policy().decide(job('sh'))).input).toBe('shell')
    expect((await policy().decide(job('psql'))).input).toBe('shell')
    expect((await policy().decide(job('touch'))).input).toBe('unasked')
    expect((await policy().decide(run('sh'))).input).toBe('none')
  })

  it('says which line would allow a tool', async () => {
    expect((await policy().decide(call('change', {}))).detail).toContain('{"tool":"change","do":"allow"}')
  })
})

describe('rules', () => {
  it('are tried in order, and the first that matches decides', async () => {
    const rules = [{ tool: 'change_*', do: 'deny' }, { tool: 'change*', server: 'a*', do: 'allow' }, { do: 'ask' }]
    expect(await verdictOf({ rules }, call('change_all', {}, { server: 'abc' }))).toBe('deny policy.rules[0]')
    expect(await verdictOf({ rules }, call('change', {}, { server: 'abc' }))).toBe('allow')
    expect(await verdictOf({ rules }, call('change', {}, { server: 'b' }))).toBe('ask policy.rules[2]')
    expect(await verdictOf({ rules }, call('look', {}, { trusted: true, readOnly: true }))).toBe('ask policy.rules[2]')
  })

  it('name a tool with its type where that matters', async () => {
    const rules = [{ tool: 'data_collection::look', do: 'allow' }]
    expect(await verdictOf({ rules }, call('look', {}))).toBe('ask default')
    expect(await verdictOf({ rules }, call('look', {}, { toolType: 'data_collection' }))).toBe('allow')
  })

  it('match hosts of addresses anywhere in the arguments', async () => {
    const rules = [
      { host: 'evil.example', do: 'deny' },
      { tool: 'browse', host: '*.example.com', do: 'allow' },
    ]
    const browse = (...urls: string[]) => call('browse', { deep: [{ urls }] })
    expect(await verdictOf({ rules }, browse('https://a.example.com/x'))).toBe('allow')
    expect(await verdictOf({ rules }, browse('https://A.EXAMPLE.com:8443/x'))).toBe('allow')
    expect(await verdictOf({ rules }, browse('https://a.example.com', 'https://b.test'))).toBe('ask default')
    expect(await verdictOf({ rules }, browse('https://a.example.com', 'http://user@evil.example:1/'))).toBe(
      'deny policy.rules[0]',
    )
    expect(await verdictOf({ rules }, browse('https://a.example.com.evil.test'))).toBe('ask default')
    expect(await verdictOf({ rules }, call('browse', {}))).toBe('ask default')
  })
})

/** What the owner of a machine might write, and what gets past it or not. */
describe.runIf(linux)('a rule about a command', () => {
  const git = [{ tool: 'execute_command', argv: ['git', 'status', '**'], do: 'allow' }]
  const anyGit = [{ argv: ['git', '**'], do: 'allow' }]
  const anything = [{ argv: ['**'], do: 'allow' }]
  const noRemoval = [
    { argv: ['rm', '**'], do: 'deny' },
    { argv: ['**'], do: 'allow' },
    { tool: 'execute_command', do: 'allow' },
  ]
  const tar = [{ argv: ['tar', '-xf', '*', '**'], do: 'allow' }]

  it.each<[string, unknown, string, string]>([
    ['what it names', git, 'git status', 'allow'],
    ['what it names, with more', git, 'git status -s src', 'allow'],
    ['quoted', git, `"git" 'status'`, 'allow'],
    ['by its whole path', git, '/usr/bin/git status', 'allow'],
    ['another subcommand', git, 'git push', 'ask shell.allow-list'],
    ['an option before the subcommand', git, 'git -c core.pager=sh status', 'ask shell.allow-list'],
    ['a program of the same name elsewhere', git, '/tmp/git status', 'ask shell.allow-list'],
    ['a program of the same name here', git, './git status', 'ask shell.allow-list'],
    ['a path that only looks like the system', git, '/usr/bin/../../tmp/git status', 'ask shell.allow-list'],
    ['a program whose name is longer', git, 'git-shell status', 'ask shell.allow-list'],
    ['a second command', git, 'git status; rm x', 'deny shell.operators'],
    ['a substitution', git, 'git status $(rm x)', 'deny shell.operators'],
    ['a redirection', git, 'git status > x', 'deny shell.operators'],
    ['a variable', git, 'PATH=/tmp git status', 'ask shell.allow-list'],
    ['an option that a wildcard must not stand for', anyGit, 'git -c core.pager=sh log', 'ask shell.allow-list'],
    ['the same, stuck together', anyGit, 'git -ccore.pager=sh log', 'ask shell.allow-list'],
    ['an option that runs a program', anyGit, 'git clone --upload-pack=sh x', 'ask shell.allow-list'],
    ['the same, cut short', anyGit, 'git clone --upload-p=sh x', 'ask shell.allow-list'],
    ['a transport that runs a program', anyGit, `git clone 'ext::sh -c rm'`, 'ask shell.allow-list'],
    ['a subcommand that runs a program', anyGit, 'git bisect run rm', 'ask shell.allow-list'],
    ['a subcommand that the rule names', [{ argv: ['git', 'bisect', '**'], do: 'allow' }], 'git bisect run rm', 'allow'],
    ['an interpreter under a wildcard', anything, 'python3 -c x', 'ask shell.arguments'],
    ['an interpreter with its version', anything, 'python3.11 -c x', 'ask shell.allow-list'],
    ['a shell under a wildcard', anything, 'sh -c rm', 'ask shell.allow-list'],
    ['env under a wildcard', anything, 'env rm x', 'ask shell.allow-list'],
    ['xargs under a wildcard', anything, 'xargs rm', 'ask shell.allow-list'],
    ['awk under a wildcard', anything, `awk 'BEGIN{system("rm")}'`, 'ask shell.allow-list'],
    ['sed under a wildcard', anything, 'sed s/a/b/e x', 'ask shell.allow-list'],
    ['find with an action, under a wildcard', anything, 'find . -delete', 'ask shell.arguments'],
    ['find with a program, under a wildcard', anything, 'find . -execdir rm {} +', 'deny shell.operators'],
    ['sort with a program, under a wildcard', anything, 'sort --compress-program=sh x', 'ask shell.arguments'],
    ['sort with a program, cut short', anything, 'sort --comp=sh x', 'ask shell.arguments'],
    ['a file that sort writes', anything, 'sort -uox y', 'ask shell.arguments'],
    ['a plain program under a wildcard', anything, 'gzip x', 'allow'],
    ['an interpreter that is named', [{ argv: ['python3', '-c', '*'], do: 'allow' }], 'python3 -c x', 'allow'],
    ['a named interpreter with more', [{ argv: ['python3', '-c', '*'], do: 'allow' }], 'python3 -c x y', 'ask shell.arguments'],
    ['tar as it is meant', tar, 'tar -xf a.tar b', 'allow'],
    ['tar with a program', tar, 'tar -xf a.tar --to-command=sh', 'ask shell.allow-list'],
    [
      'tar with an action at a checkpoint',
      tar,
      'tar -xf a.tar --checkpoint=1 --checkpoint-action=exec=sh',
      'ask shell.allow-list',
    ],
    ['tar with a compressor', tar, 'tar -xf a.tar -I sh', 'ask shell.allow-list'],
    ['an option that the rule names', [{ argv: ['sort', '-o', '*', '*'], do: 'allow' }], 'sort -o x y', 'allow'],
    ['what is denied', noRemoval, 'rm x', 'deny policy.rules[0]'],
    ['what is denied, elsewhere', noRemoval, '/tmp/rm x', 'deny policy.rules[0]'],
    ['what is denied, behind env', noRemoval, 'env A=b rm x', 'deny policy.rules[0]'],
    ['what is denied, behind two starters', noRemoval, 'nice -n 5 env rm x', 'deny policy.rules[0]'],
    ['what is denied, behind xargs', noRemoval, 'xargs -n 1 rm', 'deny policy.rules[0]'],
    ['what is denied, behind find', noRemoval, `find . -exec rm '{}' +`, 'deny policy.rules[0]'],
    ['what is denied, behind a shell', noRemoval, 'sh -c "rm x"', 'ask policy.rules[0]'],
    ['what is denied, behind an interpreter', noRemoval, `python3 -c 'import os'`, 'ask policy.rules[0]'],
    ['what is denied, behind a shell behind env', noRemoval, 'env sh -c "rm x"', 'ask policy.rules[0]'],
    ['a word that is not a program', noRemoval, 'gzip rm', 'allow'],
  ])('decides about %s', async (_, rules, command, expected) => {
    expect(await verdictOf({ rules }, line(command))).toBe(expected)
  })

  it.each<[string, unknown, string, string]>([
    ['a plain line', noRemoval, 'ls -l', 'allow'],
    ['what is denied', noRemoval, 'rm x', 'deny policy.rules[0]'],
    ['what is denied, behind an operator', noRemoval, 'ls; rm x', 'ask policy.rules[0]'],
    ['what is denied, behind a variable', noRemoval, 'A=b rm x', 'ask policy.rules[0]'],
    ['what is denied, behind a negation', noRemoval, '! rm x', 'deny policy.rules[0]'],
    ['what is denied, behind eval', noRemoval, 'eval rm x', 'deny policy.rules[0]'],
    ['a line that no rule is about', [{ argv: ['git', '**'], do: 'allow' }], 'ls | wc', 'allow'],
    [
      'a line where everything else is denied',
      [{ argv: ['git', '**'], do: 'allow' }, { do: 'deny' }],
      'git log; ls',
      'deny policy.rules[1]',
    ],
    [
      'an allowed line where everything else is denied',
      [{ argv: ['git', '**'], do: 'allow' }, { do: 'deny' }],
      'git log',
      'allow',
    ],
  ])('with an open shell decides about %s', async (_, rules, command, expected) => {
    expect(await verdictOf({ rules, shell: 'full' }, line(command))).toBe(expected)
  })

  it('with an open shell means the program of the system, not the first of that name on the PATH', async () => {
    const own = folder()
    writeFileSync(join(own, 'git'), '#!/bin/sh\n')
    chmodSync(join(own, 'git'), 0o755)
    const rules = [{ argv: ['git', '**'], do: 'allow' }, { do: 'deny' }]
    const env = { PATH: `${own}:/usr/bin:/bin` }
    expect(await verdictOf({ rules, shell: 'full', env }, line('git log'))).toBe('deny policy.rules[1]')
    expect(await verdictOf({ rules, shell: 'full', env }, line('/usr/bin/git log'))).toBe('allow')
  })

  it('takes words for what they are where there is no line', async () => {
    expect(await verdictOf({ rules: anything }, run('gzip', '$(rm x)', ';'))).toBe('allow')
    expect(await verdictOf({ rules: noRemoval }, run('env', 'rm'))).toBe('deny policy.rules[0]')
  })
})

describe.runIf(linux)('a wildcard in a path among the words of a rule', () => {
  it('stands only for what is really there', async () => {
    const base = folder()
    for (const name of ['log/old', 'far/deep']) mkdirSync(join(base, name), { recursive: true })
    writeFileSync(join(base, 'log/a'), '')
    symlinkSync('../far/deep', join(base, 'log/away'))
    symlinkSync('a', join(base, 'log/same'))
    symlinkSync('log', join(base, 'link'))
    const allowed = async (argv: string[], ...words: string[]) =>
      (await verdictOf({ rules: [{ argv, do: 'allow' }], cwd: base }, run(...words))) === 'allow'
    for (const pattern of [`${base}/log/*`, 'log/*', 'link/*']) {
      const rule = ['gzip', '-k', pattern, '**']
      const at = pattern.slice(0, -1)
      expect([pattern, await allowed(rule, 'gzip', '-k', `${at}a`)]).toEqual([pattern, true])
      expect([pattern, await allowed(rule, 'gzip', '-k', `${at}same`, '-v')]).toEqual([pattern, true])
      expect([pattern, await allowed(rule, 'gzip', '-k', `${at}new`)]).toEqual([pattern, true])
      for (const way of ['../far/x', 'away/x', 'away/../x', 'old/../../far/x', '/../far/x'])
        expect([pattern, way, await allowed(rule, 'gzip', '-k', at + way)]).toEqual([pattern, way, false])
      expect(await allowed(['gzip', '**', pattern], 'gzip', '-k', `${at}../far/x`)).toBe(false)
      expect(await allowed(['gzip', '**', pattern], 'gzip', '-k', `${at}a`)).toBe(true)
      expect(await allowed(['gzip', `--suffix=${pattern}`], 'gzip', `--suffix=${at}../far/x`)).toBe(false)
    }
    expect(await allowed(['gzip', '*'], 'gzip', '../x')).toBe(true)
    expect(await allowed(['curl', 'https://h/*'], 'curl', 'https://h/x')).toBe(true)
    expect(await allowed(['git', 'log', 'feature/*'], 'git', 'log', 'feature/x')).toBe(true)
  })
})

describe.runIf(linux)('a rule that denies, with an open shell', () => {
  const noTouch = [
    { argv: ['touch', '**'], do: 'deny' },
    { tool: '*', do: 'allow' },
  ]

  it.each([
    `git -c alias.x='!touch a' x`,
    `git -calias.x='!touch a' x`,
    `git -c core.pager='touch a' -p log`,
    `git --config-env=alias.x=HOME x`,
    'git --exec-path=/tmp log',
    'git x',
    'git config alias.x "!touch a"',
    'git bisect run touch a',
    `git rebase --exec 'touch a' main`,
    `git submodule foreach 'touch a'`,
    `git difftool -x 'touch a'`,
    `git clone ext::'touch a'`,
    `git clone -u 'touch a' /tmp/x`,
    `git clone --config core.fsmonitor='touch a' /tmp/x`,
    `git fetch --upload-pack='touch a' /tmp/x`,
    `git filter-branch --tree-filter 'touch a'`,
    'tar cf x . --checkpoint=1 --checkpoint-action=exec="touch a"',
    'tar cf x . --checkpoint=1 --checkpoint-a=exec="touch a"',
    `tar xf x --to-command='touch a'`,
    `tar cf x -I 'touch a' .`,
    `tar cfI x 'touch a' .`,
    `tar xf host:x --rsh-command='touch a'`,
    'tar xf host:x',
    `script -c 'touch a'`,
    'script -qc "touch a" /dev/null',
    'setarch x86_64 touch a',
    `setarch -R sh -c 'touch a'`,
    'linux64 touch a',
    'prlimit --nofile=99 touch a',
    `split --filter='touch a' x`,
    `split --fil 'touch a' x`,
    '/lib64/ld-linux-x86-64.so.2 /bin/touch a',
    '/usr/lib64/ld-linux-x86-64.so.2 /bin/touch a',
    `env -S 'touch a'`,
    `env -iS'touch a'`,
    'env -Stouch a',
    'env touch a',
    'env LD_PRELOAD=/tmp/x.so ls',
    'xargs -a x',
    'xargs touch',
    `find . -exec touch {} ';'`,
    `find . -ok sh -c 'touch a' ';'`,
    'nice touch a',
    'nice -n 5 touch a',
    `nice sh -c 'touch a'`,
    'nohup touch a',
    'timeout -k 5 5 touch a',
    'timeout 5 nice nohup touch a',
    `timeout 5 git -c alias.x='!touch a' x`,
    'stdbuf -oL touch a',
    'setsid touch a',
    'unshare -r touch a',
    'nsenter -t 1 touch a',
    'chroot / touch a',
    `flock x -c 'touch a'`,
    'flock x touch a',
    `watch 'touch a'`,
    `parallel touch ::: a`,
    `parallel ::: 'touch a'`,
    `awk 'BEGIN{system("touch a")}'`,
    `sed '1e touch a' x`,
    `vim -c '!touch a'`,
    `ssh host 'touch a'`,
    `python3 -c 'import os; os.system("touch a")'`,
    `make -f x`,
    'busybox touch a',
    'busybox sh x',
    `sort --compress-program='touch' x`,
    'diff -l a b',
    `zip x a -T -TT 'touch a'`,
    `rsync -e 'touch a' a b:c`,
    `man -P 'touch a' ls`,
    `dpkg --pre-invoke='touch a'`,
    `apt-get -o APT::Update::Pre-Invoke::=touch update`,
    'systemd-run touch a',
    'systemctl start x',
    'crontab x',
    `perl -e 'system "touch a"'`,
    'run-parts /tmp/x',
    'capsh -- -c "touch a"',
    'setpriv --nnp touch a',
    'choom -n 0 -- touch a',
    'socat - EXEC:touch',
    `gdb -ex '!touch a'`,
    'gcc -wrapper touch,a x.c',
    'ip netns exec x touch a',
    'scp -S touch a b:c',
    `expect -c 'spawn touch a'`,
    './touch-it.sh',
    '/tmp/x',
    '/tmp/../tmp/x',
    'some-unknown-program a',
    'touch',
    '/bin/touch a',
    'ls && touch a',
    'ls | xargs touch',
    '$(echo touch) a',
    't""ouch a; ls',
    'T=touch; $T a',
    '. ./x',
    'eval touch a',
    'exec touch a',
  ])('holds behind whatever starts programs: %s', async (command) => {
    for (const asked of [
      line(command),
      call('run_command', { line: command }, { server: 'shell', builtIn: true, trusted: true }),
    ])
      for (const rules of [noTouch, noTouch.slice(0, 1)])
        expect([command, await verdictOf({ rules, shell: 'full' }, asked)]).not.toEqual([command, 'allow'])
  })

  it.each([
    'ls -l',
    'rm -rf x',
    'git status',
    'git log --oneline -5',
    'git -C /srv/x diff --stat',
    'git push -u origin main',
    'tar -czf x.tgz a b',
    'tar xzf x.tgz -C a',
    'find . -name x -type f',
    'nice -n 5 gzip x',
    'timeout 30 curl -o x https://example.org/',
    'systemctl status nginx',
    'split -l 100 x',
    'sort -u x',
    '/usr/bin/du -sh /var',
  ])('is not about %s', async (command) => {
    expect(await verdictOf({ rules: noTouch, shell: 'full' }, line(command))).toBe('allow')
    expect(await verdictOf({ rules: noTouch.slice(0, 1), shell: 'full' }, line(command))).toBe('allow')
  })

  it('is about a subcommand behind options too', async () => {
    const noPush = [{ argv: ['git', 'push', '**'], do: 'deny' }]
    for (const command of [
      'git push',
      'git -C x push -f',
      'git --no-pager --git-dir=x -C y push',
      'nice git -C x push',
      'env git -p push',
    ])
      expect([command, await verdictOf({ rules: noPush, shell: 'full' }, line(command))]).toEqual([
        command,
        'deny policy.rules[0]',
      ])
    for (const command of ['git log push', 'git commit -m push'])
      expect([command, await verdictOf({ rules: noPush, shell: 'full' }, line(command))]).toEqual([command, 'allow'])
  })

  it('holds where a variable could change what runs, and where a terminal gives a pager its keys', async () => {
    const command = (args: object) => call('start_job', { ...args }, { server: 'shell', builtIn: true, trusted: true })
    const full = (asked: ToolCall, rules: unknown = noTouch) => verdictOf({ rules, shell: 'full' }, asked)
    expect(await full(command({ program: 'git', args: ['log'] }))).toBe('allow')
    expect(await full(command({ program: 'git', args: ['log'], env: { LANG: 'C' } }))).toBe('allow')
    for (const name of ['PATH', 'LD_PRELOAD', 'GIT_EXTERNAL_DIFF', 'GIT_CONFIG_COUNT', 'PAGER'])
      expect(await full(command({ program: 'git', args: ['log'], env: { [name]: 'x' } }))).toBe('ask policy.rules[0]')
    expect(await full(command({ program: 'git', args: ['log'], terminal: true }))).toBe('ask policy.rules[0]')
    expect(await full(command({ line: 'journalctl', terminal: true }))).toBe('ask policy.rules[0]')
    const git = [{ argv: ['git', '**'], do: 'allow' }, { do: 'deny' }]
    expect(await full(command({ program: 'git', args: ['log'] }), git)).toBe('allow')
    expect(await full(command({ program: 'git', args: ['log'], env: { PATH: '/tmp' } }), git)).toBe('deny policy.rules[1]')
  })

  it('takes a program for one of the system only where the kernel finds it there', async () => {
    const base = folder()
    mkdirSync(join(base, 'own/usr/bin'), { recursive: true })
    mkdirSync(join(base, 'own/x'))
    symlinkSync('own/x', join(base, 'l'))
    symlinkSync('/usr', join(base, 'system'))
    for (const name of ['git', 'ls']) {
      writeFileSync(join(base, 'own/usr/bin', name), '#!/bin/sh\n')
      chmodSync(join(base, 'own/usr/bin', name), 0o755)
    }
    const up = '../'.repeat(base.split('/').length - 1)
    const rules = [{ argv: ['git', '**'], do: 'allow' }, { do: 'deny' }]
    // By its text the first one is /usr/bin/git.
    for (const shell of ['strict', 'full'] as const) {
      expect(
        await verdictOf({ rules, shell, cwd: base }, run(`${base}/l/${up}usr/bin/git`.replace(`l/${up}`, 'l/../'), 'log')),
      ).toBe('deny policy.rules[1]')
      expect(await verdictOf({ rules, shell, cwd: base }, run('system/bin/git', 'log'))).toBe('allow')
    }
    expect(await verdictOf({ cwd: base }, run('l/../usr/bin/ls'))).toBe('ask shell.program-path')
  })
})

describe.runIf(linux)('a rule about a host', () => {
  const noEvil = [{ host: 'evil.example', do: 'deny' }]

  it.each([
    'curl http://evil.example/x',
    'curl -shttp://evil.example/x',
    'curl --url=https://user@evil.example:8443/',
    'curl evil.example/x',
    'dig x @evil.example',
    'ping -c1 evil.example',
    'git clone git@evil.example:x/y',
    'scp x me@evil.example:y',
  ])('is about the words of a command: %s', async (command) => {
    expect(await verdictOf({ rules: noEvil, shell: 'full' }, line(command))).toMatch(/^(deny|ask)/)
  })

  it('is not about others, and allows no command by the host alone', async () => {
    expect(await verdictOf({ rules: noEvil, shell: 'full' }, line('curl https://good.example/'))).toBe('allow')
    expect(await verdictOf({ rules: noEvil, shell: 'full' }, line('ls evil.example'))).toBe('allow')
    const rules = [{ tool: 'execute_command', host: 'good.example', do: 'allow' }]
    expect(await verdictOf({ rules }, line('curl https://good.example/ -o .bashrc'))).toBe('ask shell.allow-list')
    expect(
      await verdictOf(
        { rules: [{ argv: ['curl', '*'], host: 'good.example', do: 'allow' }] },
        line('curl https://good.example/'),
      ),
    ).toBe('allow')
  })
})

describe.runIf(linux)('a rule about a path', () => {
  it('is about the files that a command names, and allows no command by the folder in which it runs', async () => {
    const base = folder()
    for (const name of ['open', 'closed']) mkdirSync(join(base, name))
    writeFileSync(join(base, 'closed/x'), '')
    symlinkSync('closed', join(base, 'link'))
    mkdirSync(join(base, 'far/deep'), { recursive: true })
    symlinkSync('../far/deep', join(base, 'open/up'))
    writeFileSync(join(base, 'far/x'), '')
    const rules = [
      { path: 'closed/**', do: 'deny' },
      { path: 'far/**', do: 'deny' },
    ]
    for (const shell of ['strict', 'full'] as const) {
      const verdict = (...argv: string[]) => verdictOf({ rules, shell, cwd: base }, run(...argv))
      for (const argv of [
        ['cat', 'closed/x'],
        ['cat', join(base, 'closed/x')],
        ['cat', 'link/x'],
        ['grep', '-fclosed/x', 'a'],
        ['grep', '--file=link/x', 'a'],
        ['ls', 'link/'],
        ['cat', 'closed/none'],
      ])
        expect([argv, await verdict(...argv)]).toEqual([argv, 'deny policy.rules[0]'])
      expect(await verdict('cat', 'open/up/../x')).toBe('deny policy.rules[1]')
      expect(await verdict('cat', 'open/x')).toBe('allow')
    }
    expect(await verdictOf({ rules, shell: 'full', cwd: base }, line('cd closed && cat x'))).toBe('ask policy.rules[0]')
    expect(await verdictOf({ rules: [{ path: '**', do: 'allow' }], cwd: base }, run('touch', 'x'))).toBe('ask shell.allow-list')
    const touch = [{ argv: ['touch', '**'], path: 'open/**', do: 'allow' }]
    expect(await verdictOf({ rules: touch, cwd: join(base, 'open') }, run('touch', '../closed/x'))).toBe('ask shell.allow-list')
  })

  it('is about its folder under each name, and about what is in a folder that is searched, moved or deleted', async () => {
    const base = folder()
    for (const name of ['data/secret', 'data/open', 'other']) mkdirSync(join(base, name), { recursive: true })
    symlinkSync('data', join(base, 'link'))
    const files = (tool: string, args: object) =>
      call(
        tool,
        { ...args },
        {
          server: tool.includes('pdf') ? 'pdf' : 'files',
          builtIn: true,
          trusted: true,
          readOnly: /^(read|search|list|extract)/.test(tool),
        },
      )
    for (const path of ['link/secret/**', 'data/secret/**', join(base, 'link/secret'), 'link/sec*/{x,y}']) {
      const rules = [
        { path, do: 'deny' },
        { tool: '*', do: 'allow' },
      ]
      const verdict = (asked: ToolCall, shell: 'strict' | 'full' = 'full') => verdictOf({ rules, shell, cwd: base }, asked)
      if (path.includes('*')) {
        expect([path, await verdict(files('read_file', { path: 'data/secret/x' }))]).toEqual([path, 'deny policy.rules[0]'])
        expect([path, await verdict(files('read_file', { path: 'link/secret/x' }))]).toEqual([path, 'deny policy.rules[0]'])
      }
      for (const asked of [
        files('search_files', { path: '.', text: 'x' }),
        files('search_files', { path: 'link', text: 'x' }),
        files('move_file', { from: 'data', to: 'moved' }),
        files('delete_file', { path: 'link/../data', recursive: true }),
        files('extract_all_pdfs_text', { directory_path: '.' }),
        run('grep', '-r', 'x', '.'),
        run('grep', '-hr', 'x'),
        run('cp', '-r', 'data', 'copy'),
        run('tar', 'cf', 'x.tar', '--directory=link', '.'),
        run('rm', '-rf', 'data'),
      ])
        expect([path, asked.tool, asked.args, await verdict(asked)]).toEqual([
          path,
          asked.tool,
          asked.args,
          'ask policy.rules[0]',
        ])
      for (const asked of [
        files('read_file', { path: 'data/open/x' }),
        files('search_files', { path: 'other', text: 'x' }),
        files('search_files', { path: 'data/open', text: 'x' }),
        files('list_files', { path: '.' }),
        run('ls', '-lR', '.'),
        run('grep', 'x', 'data/open/y'),
        run('cp', 'data/open/x', 'other'),
      ])
        expect([path, asked.tool, asked.args, await verdict(asked)]).toEqual([path, asked.tool, asked.args, 'allow'])
    }
  })

  it('is about values in the words of a command, wherever they begin', async () => {
    const base = folder()
    mkdirSync(join(base, 'closed'))
    writeFileSync(join(base, 'closed/x'), '')
    const rules = [{ path: 'closed/**', do: 'deny' }]
    for (const argv of [
      ['grep', `-${'n'.repeat(90)}fclosed/x`, 'a'],
      ['dd', 'if=closed/x'],
      ['curl', '-d@closed/x', 'http://h'],
      ['curl', '-F', 'f=@closed/x', 'h'],
      ['curl', `file://${base}/closed/x`],
      ['cp', `--target-directory=${base}/closed/y`, 'a'],
    ])
      expect([argv, await verdictOf({ rules, shell: 'full', cwd: base }, run(...argv))]).toEqual([argv, 'deny policy.rules[0]'])
    const many = Array.from({ length: 3000 }, (_, at) => `w${at}`)
    expect(await verdictOf({ rules, shell: 'full', cwd: base }, run('cat', ...many))).toBe('ask policy.rules[0]')
    // Takes time in proportion to the word.
    expect(await verdictOf({ rules, shell: 'full', cwd: base }, run('cat', 'a:/'.repeat(300_000)))).toMatch(/^ask/)
  })

  it('is about where the path really leads', async () => {
    const base = folder()
    mkdirSync(join(base, 'open'))
    mkdirSync(join(base, 'closed'))
    symlinkSync('../closed', join(base, 'open', 'link'))
    const rules = [
      { path: 'closed/**', do: 'deny' },
      { path: 'open/**', do: 'allow' },
    ]
    const write = (path: string) => call('write_file', { path, content: '' }, { server: 'files', builtIn: true, trusted: true })
    expect(await verdictOf({ rules, cwd: base }, write('open/a/.b'))).toBe('allow')
    expect(await verdictOf({ rules, cwd: base }, write('open/link/x'))).toBe('deny policy.rules[0]')
    expect(await verdictOf({ rules, cwd: base }, write('open/../closed/x'))).toBe('deny policy.rules[0]')
    expect(await verdictOf({ rules, cwd: base }, write('other'))).toBe('ask default')
    const move = call('move_file', { from: 'open/a', to: 'b' }, { server: 'files', builtIn: true, trusted: true })
    expect(await verdictOf({ rules, cwd: base }, move)).toBe('ask default')
    expect(await verdictOf({ rules, cwd: base }, call('write', { path: join(base, 'open', 'x') }))).toBe('ask default')
  })
})

describe('the policy and what runs', () => {
  const word = fc.oneof(
    fc.string({ maxLength: 12 }),
    fc.constantFrom(
      'git',
      'env',
      'rm',
      'sh',
      '-c',
      '--',
      'ls',
      '/bin/ls',
      './ls',
      '$(x)',
      '`x`',
      ';',
      '|',
      '>',
      '~',
      '*',
      'a=b',
      "'",
      '"',
      '\\',
    ),
  )

  it('never disagree about a line: what is allowed runs with exactly the words that were judged', async () => {
    const place = {
      rules: [
        { argv: ['rm', '**'], do: 'deny' },
        { tool: 'execute_command', do: 'allow' },
      ],
    }
    await fc.assert(
      fc.asyncProperty(fc.array(word, { maxLength: 6 }), async (words) => {
        const text = words.join(' ')
        const { do: action, command } = await policy(place).decide(line(text))
        if (action !== 'allow' || command === null) return
        const permits = new Permits()
        permits.grant(command.argv, command.cwd)
        const ran = await allowCommand(text, 'strict', command.cwd, new Roots({ cwd: '/' }), permits).catch(() => null)
        if (ran === null) return
        expect([basename(ran.file), ...ran.args]).toEqual([basename(command.argv[0] ?? ''), ...command.argv.slice(1)])
        expect(basename(ran.file)).not.toBe('rm')
      }),
      { numRuns: 500 },
    )
  })

  it('never throws, whatever the arguments', async () => {
    const tool = fc.constantFrom('execute_command', 'run_command', 'write_file', 'run_shell', 'move_file')
    const server = fc.constantFrom('BashExecutor', 'shell', 'files', 'CommandLineExecutor', 'x')
    await fc.assert(
      fc.asyncProperty(
        tool,
        server,
        fc.dictionary(fc.constantFrom('command', 'program', 'args', 'line', 'cwd', 'path', 'from', 'to'), fc.anything()),
        async (name, of, args) => {
          const verdict = await policy({
            rules: [
              { argv: ['a', '**'], do: 'deny' },
              { path: '/x/**', do: 'allow' },
            ],
          }).decide(call(name, args, { server: of, builtIn: of !== 'x' }))
          expect(['allow', 'ask', 'deny']).toContain(verdict.do)
        },
      ),
      { numRuns: 500 },
    )
  })
})
