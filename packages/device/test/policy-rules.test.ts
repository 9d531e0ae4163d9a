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

describe.runIf(linux)('a rule about a path', () => {
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
