import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DeviceConfig } from '../src/index.js'
import { failedEnd } from '../src/process/program-end.js'
import { ALLOW_ALL } from './support/config.js'
import { temporaryFolders } from './support/temporary.js'
import { toolCaller } from './support/tool-caller.js'

const folder = temporaryFolders()
const full = DeviceConfig.parse({ shell: 'full', policy: ALLOW_ALL })
const strict = DeviceConfig.parse({ policy: ALLOW_ALL })
/** What a server of Orrery agrees on. */
const ORRERY = { aip: { version: 1, features: ['cancel', 'progress'] } }

describe.runIf(process.platform !== 'win32')('a program that ends with an error', () => {
  it('makes its call a failure that keeps output and code', async () => {
    await using tools = await toolCaller({ config: full, cwd: folder() }, ORRERY)
    const script = 'echo out; echo bad >&2; exit 2'
    expect(await tools.call('execute_command', { command: script })).toMatchObject({
      status: 'failure',
      error: 'exit code 2',
      result: { success: false, exit_code: 2, stdout: 'out\n', stderr: 'bad\n' },
    })
    expect(await tools.call('run_command', { line: script })).toMatchObject({
      status: 'failure',
      error: 'exit code 2',
      result: { exit_code: 2, ended: 'exit', stdout: 'out\n', stderr: 'bad\n' },
    })
    expect(await tools.call('run_shell', { bash_command: 'exit 4' })).toMatchObject({
      status: 'failure',
      error: 'exit code 4',
      result: null,
    })
    expect(await tools.call('run_shell', { bash_command: 'true' })).toMatchObject({ status: 'success', result: null })
  })

  it('names the signal that ended it', async () => {
    await using tools = await toolCaller({ config: full, cwd: folder() }, ORRERY)
    for (const signal of ['SEGV', 'KILL']) {
      expect(await tools.call('run_command', { line: `echo so far; kill -${signal} $$` })).toMatchObject({
        status: 'failure',
        error: `ended by SIG${signal}`,
        result: { ended: 'signal', signal: `SIG${signal}`, exit_code: null, stdout: 'so far\n' },
      })
    }
    expect(await tools.call('execute_command', { command: 'kill -SEGV $$' })).toMatchObject({
      status: 'failure',
      error: 'ended by SIGSEGV',
      result: { success: false, exit_code: 139, error: 'ended by SIGSEGV' },
    })
    expect(await tools.call('run_shell', { bash_command: 'kill -SEGV $$' })).toMatchObject({ error: 'ended by SIGSEGV' })
    // A shell tells by its code how the program in it ended.
    expect(await tools.call('run_command', { line: 'sh -c "kill -SEGV \\$\\$"; exit $?' })).toMatchObject({
      error: 'exit code 139 (SIGSEGV)',
    })
  })

  it('explains the code where the program defines it, in both shells', async () => {
    await using tools = await toolCaller({ config: full, cwd: folder() }, ORRERY)
    for (const [line, error] of [
      ['echo a | grep b', 'exit code 1 (no match)'],
      ['echo a > x; echo b > y; diff x y', 'exit code 1 (they differ)'],
      ['test -e none', 'exit code 1 (the condition is false)'],
      ['no-such-program', 'exit code 127 (no such program)'],
      ['grep a none', 'exit code 2'],
      ['grep a x && false', 'exit code 1'],
    ] as const)
      expect(await tools.call('run_command', { line })).toMatchObject({ status: 'failure', error })
    await using plain = await toolCaller({ config: strict, cwd: folder() }, ORRERY)
    expect(await plain.call('execute_command', { command: 'ls none' })).toMatchObject({ status: 'failure', error: 'exit code 2' })
    expect(await plain.call('run_command', { program: 'grep', args: ['a|b', '/dev/null'] })).toMatchObject({
      error: 'exit code 1 (no match)',
    })
  })

  it('stops a batch, as every failure does', async () => {
    const auditPath = join(folder(), 'audit.jsonl')
    {
      await using tools = await toolCaller({ config: full, cwd: folder(), auditPath }, ORRERY)
      expect(await tools.batch(['run_command', { line: 'exit 3' }], ['run_command', { line: 'echo no' }])).toMatchObject([
        { status: 'failure', error: 'exit code 3' },
        { status: 'skipped' },
      ])
    }
    const entries = readFileSync(auditPath, 'utf8').trim().split('\n')
    expect(entries.map((line) => JSON.parse(line))).toMatchObject([
      { outcome: 'failure', decision: 'allow', error: 'exit code 3' },
    ])
  })

  it('is a failure when its time is up', async () => {
    await using tools = await toolCaller({ config: full, cwd: folder() }, ORRERY)
    expect(await tools.call('run_command', { line: 'echo begun; sleep 600', timeout_s: 1 })).toMatchObject({
      status: 'failure',
      error: 'ended after 1 s, its time limit',
      result: { ended: 'timeout', stdout: 'begun\n' },
    })
    expect(await tools.call('execute_command', { command: 'sleep 600', timeout: 1 })).toMatchObject({
      status: 'failure',
      error: 'Timeout after 1s.',
      result: { exit_code: null },
    })
  })

  it('appears in what is read of a job', async () => {
    await using tools = await toolCaller({ config: full, cwd: folder() }, ORRERY)
    for (const [line, end] of [
      ['echo x | grep y', { exit_code: 1, signal: null, error: 'exit code 1 (no match)' }],
      ['kill -SEGV $$', { exit_code: null, signal: 'SIGSEGV', error: 'ended by SIGSEGV' }],
      ['true', { exit_code: 0, signal: null, error: null }],
    ] as const) {
      const { job_id: id } = await tools.value<{ job_id: string }>('start_job', { line })
      expect(await tools.value('read_output', { id, wait_ms: 10_000 })).toMatchObject({ running: false, ...end })
      const { jobs } = await tools.value<{ jobs: object[] }>('list_jobs')
      expect(jobs.at(-1)).toMatchObject({ job_id: id, ...end })
    }
  })

  it('is a success with its code for an existing server, and stops nothing there', async () => {
    await using tools = await toolCaller({ config: full, cwd: folder() })
    expect(
      await tools.batch(
        ['execute_command', { command: 'echo out; exit 2' }],
        ['run_command', { line: 'exit 2' }],
        ['run_shell', { bash_command: 'exit 2' }],
        ['execute_command', { command: 'kill -9 $$' }],
      ),
    ).toEqual([
      expect.objectContaining({
        status: 'success',
        error: null,
        result: { success: false, exit_code: 2, stdout: 'out\n', stderr: '' },
      }),
      expect.objectContaining({
        status: 'success',
        error: null,
        result: { exit_code: 2, ended: 'exit', stdout: '', stderr: '' },
      }),
      expect.objectContaining({ status: 'success', error: null, result: null }),
      expect.objectContaining({ status: 'success', result: expect.objectContaining({ exit_code: 137 }) }),
    ])
    expect(await tools.call('read_file', { path: 'none' })).toMatchObject({ status: 'failure', result: null })
  })
})

describe('the reason of an end', () => {
  it('is there for every code but 0 and every signal, whatever the line', () => {
    const argv = fc.oneof(
      fc.array(fc.string()),
      fc.string().map((line) => ['/bin/sh', '-c', line]),
    )
    fc.assert(
      fc.property(argv, fc.integer({ min: 0, max: 255 }), (words, code) => {
        const reason = failedEnd({ code, signal: null }, words)
        if (code === 0) expect(reason).toBeNull()
        else expect(reason).toMatch(new RegExp(`^exit code ${code}( \\(.+\\))?$`))
      }),
    )
  })
})
