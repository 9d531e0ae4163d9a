import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../../../test/support/manual-clock.js'
import { startTestServer } from '../../../../test/support/test-server.js'
import type { Json } from '../../../../test/support/wire-client.js'
import { answerDevice, runWorkflow, type Answer } from '../support/answering-device.js'

/** A shell whose commands are exit codes: `exit 3`. */
const shell: Answer = ({ command }) => {
  const code = Number(/exit (\d+)/.exec(String(command))?.[1] ?? 0)
  return { exit_code: code, stdout: `did ${String(command)}\n`, stderr: '' }
}

async function ran(steps: string, answers: Record<string, Answer> = {}): Promise<{ session: Json; calls: Json[] }> {
  await using server = await startTestServer()
  const { calls } = await answerDevice(server, { execute_command: shell, ...answers })
  return { session: await runWorkflow(server, steps), calls }
}

const commandsOf = (calls: readonly Json[]): unknown[] => calls.map(({ command, line }) => command ?? line)

describe('a command that ends with a code other than 0', () => {
  it('fails its step, also where the device calls it a success', async () => {
    const { session, calls } = await ran('steps:\n  - { id: a, run: exit 2 }\n  - run: after\n')
    expect(session).toMatchObject({ status: 'failed', error: "step 'a' failed: the program ended with exit code 2" })
    expect(commandsOf(calls)).toEqual(['exit 2'])
  })

  it('fails its step where the device reports the failure with its result', async () => {
    const answers = {
      execute_command: (): unknown => ({ fail: 'exit code 1 (no match)', result: { exit_code: 1, stdout: 'x' } }),
    }
    const { session } = await ran('steps: [{ id: a, run: grep x, continue-on-error: true }]\nresult: ${{ steps.a }}', answers)
    expect(session['result']).toEqual({
      status: 'failure',
      outcome: 'failure',
      conclusion: 'success',
      result: { exit_code: 1, stdout: 'x' },
      error: 'exit code 1 (no match)',
    })
  })

  it('is a success where the step says so, whichever device reports it', async () => {
    const answers: Record<string, Answer> = {
      execute_command: (_, call) =>
        call === 0 ? { exit_code: 1, stdout: 'none' } : { fail: 'exit code 1', result: { exit_code: 1, stdout: 'none' } },
    }
    const steps = 'steps:\n  - { id: a, run: grep, ok-exit-codes: [0, 1] }\n  - { id: b, run: grep, ok-exit-codes: any }\n'
    const { session } = await ran(
      `${steps}result: \${{ steps.a.status }} \${{ steps.b.status }} \${{ steps.b.result.stdout }}`,
      answers,
    )
    expect(session).toMatchObject({ status: 'completed', result: 'success success none' })
  })

  it('fails the step if its code is not one of those, 0 included', async () => {
    expect((await ran('steps: [{ run: exit 3, ok-exit-codes: [0, 1] }]')).session['status']).toBe('failed')
    expect((await ran('steps: [{ run: exit 0, ok-exit-codes: [1] }]')).session['status']).toBe('failed')
  })

  it('fails the step if a signal or a timeout ended it, whatever codes are good', async () => {
    const answers = { execute_command: (): unknown => ({ exit_code: null, stdout: '', error: 'Timeout after 30s.' }) }
    const { session } = await ran('steps: [{ id: a, run: sleep, ok-exit-codes: any }]', answers)
    expect(session['error']).toBe("step 'a' failed: Timeout after 30s.")
  })

  it('is tried again where the step has retry', async () => {
    const clock = new ManualClock()
    await using server = await startTestServer({ clock })
    const { calls } = await answerDevice(server, { execute_command: (_, call) => ({ exit_code: call === 0 ? 1 : 0 }) })
    const running = runWorkflow(server, 'steps: [{ run: curl, retry: { times: 1, wait_ms: 5000 } }]')
    while (!clock.waits.includes(5000)) await new Promise((resolve) => setImmediate(resolve))
    await clock.advance(5000)
    expect(await running).toMatchObject({ status: 'completed' })
    expect(calls).toHaveLength(2)
  })
})

describe('after a step that failed', () => {
  it('run those that ask for it by failure() or always(), and the workflow fails', async () => {
    const { session, calls } = await ran(`steps:
  - { id: work, run: exit 1 }
  - { run: not reached }
  - { run: nor this, if: true }
  - { run: nor that, if: success() }
  - { run: tell, if: failure() }
  - { run: clean, if: always() }
  - { run: both, if: "failure() && steps.work.status == 'failure'" }
  - { run: neither, if: "failure() && steps.work.status == 'success'" }
  - { run: not cancelled, if: "!cancelled()" }
`)
    expect(commandsOf(calls)).toEqual(['exit 1', 'tell', 'clean', 'both', 'not cancelled'])
    expect(session).toMatchObject({ status: 'failed', error: "step 'work' failed: the program ended with exit code 1" })
  })

  it('that may continue, all is as after success', async () => {
    const steps = `steps:
  - { id: a, run: exit 1, continue-on-error: true }
  - { run: failed, if: failure() }
  - { run: proceeds, if: steps.a.outcome == 'failure' && steps.a.conclusion == 'success' }
`
    const { session, calls } = await ran(steps)
    expect(commandsOf(calls)).toEqual(['exit 1', 'proceeds'])
    expect(session['status']).toBe('completed')
  })
})

describe('steps at the end', () => {
  const steps = (code: number): string => `steps:
  - { id: a, run: exit ${code} }
finally:
  - { run: "clean \${{ steps.a.status }}" }
  - { run: tell, if: failure() }
  - { run: praise, if: success() }
`
  it('run after success and after failure', async () => {
    expect(commandsOf((await ran(steps(0))).calls)).toEqual(['exit 0', 'clean success', 'praise'])
    const failed = await ran(steps(1))
    expect(commandsOf(failed.calls)).toEqual(['exit 1', 'clean failure', 'tell'])
    expect(failed.session['status']).toBe('failed')
  })

  it('all run, also after one of them failed, and the workflow fails', async () => {
    const { session, calls } = await ran('steps: [{ run: a }]\nfinally:\n  - { id: f, run: exit 4 }\n  - run: last\n')
    expect(commandsOf(calls)).toEqual(['a', 'exit 4', 'last'])
    expect(session['error']).toBe("step 'f' failed: the program ended with exit code 4")
  })
})

describe('a step with run', () => {
  it('gives its command to execute_command, with folder and time', async () => {
    const { calls } = await ran('steps:\n  - { run: make, working-directory: /srv, timeout_ms: 90000 }\n')
    expect(calls).toEqual([{ tool: 'execute_command', command: 'make', cwd: '/srv', timeout: 90 }])
  })

  it('gives its command to run_command where there are variables', async () => {
    const text = `inputs: { who: { default: bob } }
env: { NAME: "\${{ inputs.who }}", COUNT: 3 }
steps:
  - { run: "make \${{ env.name }}", env: { TARGET: "\${{ env.NAME }}-\${{ item }}", COUNT: 4 }, foreach: [x] }
`
    const { calls } = await ran(text)
    expect(calls).toEqual([{ tool: 'run_command', line: 'make bob', env: { NAME: 'bob', COUNT: '4', TARGET: 'bob-x' } }])
  })

  it('splits the output of another one', async () => {
    const answers = {
      execute_command: ({ command }: Json): unknown => ({ exit_code: 0, stdout: command === 'ls' ? 'a\nb c\r\n' : '' }),
    }
    const { calls } = await ran(
      'steps:\n  - { id: ls, run: ls }\n  - { run: "rm ${{ item }}", foreach: "${{ split(steps.ls.result.stdout) }}" }\n',
      answers,
    )
    expect(commandsOf(calls)).toEqual(['ls', 'rm a', 'rm b c'])
  })
})

describe('a value that does not exist', () => {
  it.each([
    ['in a command', 'run: "rm -rf ${{ steps.a.result.nope }}/"', '${{ steps.a.result.nope }} is not defined: give a default'],
    ['as a whole argument', 'tool: t\n    with: { p: "${{ steps.a.result.nope }}" }', 'is not defined'],
    ['below one that does not exist', 'run: "rm ${{ steps.a.result.no.where }}"', 'is not defined'],
    ['beyond the end of a list', 'run: "rm ${{ steps.a.result.list[2] }}"', 'is not defined'],
    ['that is null, inside of a text', 'run: "rm ${{ steps.a.error }}/"', '${{ steps.a.error }} is null'],
    [
      'in a function that makes a text of it',
      'run: "${{ format(\'rm {0}/\', steps.a.result.nope) }}"',
      'format() gets a value that is not defined',
    ],
    ['in a variable', 'run: ls\n    env: { P: "${{ steps.a.result.nope }}" }', 'is not defined'],
    ['in a folder', 'run: ls\n    working-directory: "${{ steps.a.result.nope }}"', 'is not defined'],
  ])('%s ends the workflow before the command runs', async (_case, step, reason) => {
    const { session, calls } = await ran(`steps:\n  - { id: a, tool: look }\n  - ${step}\n`, { look: () => ({ list: [1, 2] }) })
    expect(session['error']).toContain(reason)
    expect(calls).toHaveLength(1)
  })

  it('may have a default, and is null in conditions and results', async () => {
    const text = `steps:
  - { id: a, tool: look }
  - { run: "ls \${{ steps.a.result.nope || '/tmp' }}", if: "!steps.a.result.nope" }
  - { tool: t, with: { p: "\${{ steps.a.error }}" } }
result: { gone: "\${{ steps.a.result.nope }}", text: "<\${{ steps.a.result.nope }}>" }
`
    const { session, calls } = await ran(text, { look: () => ({}) })
    expect(calls.slice(1)).toEqual([
      { tool: 'execute_command', command: 'ls /tmp' },
      { tool: 't', p: null },
    ])
    expect(session['result']).toEqual({ gone: null, text: '<>' })
  })
})

describe('a workflow that calls another one', () => {
  async function withLibrary(
    files: Record<string, string>,
    work: (server: Awaited<ReturnType<typeof startTestServer>>) => Promise<void>,
  ) {
    const dataDir = mkdtempSync(join(tmpdir(), 'orrery-'))
    mkdirSync(join(dataDir, 'workflows'))
    for (const [name, text] of Object.entries(files)) writeFileSync(join(dataDir, 'workflows', name), text)
    try {
      await using server = await startTestServer({ dataDir })
      await work(server)
    } finally {
      rmSync(dataDir, { recursive: true })
    }
  }

  const INNER = `inputs: { n: { type: number } }
steps:
  - { id: a, run: "exit \${{ inputs.n }}" }
finally: [{ run: inner clean }]
result: { n: "\${{ inputs.n }}", out: "\${{ steps.a.result.stdout }}" }
`

  it('gives it inputs and gets its result; its steps are its own', async () => {
    await withLibrary({ 'inner.yaml': INNER }, async (server) => {
      const { calls } = await answerDevice(server, { execute_command: shell })
      const text = `steps:
  - { id: b, uses: "workflow:Inner", with: { N: 0 }, name: calls }
  - { run: "after \${{ steps.b.result.out }}" }
result: \${{ steps.b.result }}
`
      const session = await runWorkflow(server, text)
      expect(session).toMatchObject({ status: 'completed', result: { n: 0, out: 'did exit 0\n' } })
      expect(commandsOf(calls)).toEqual(['exit 0', 'inner clean', 'after did exit 0\n'])
      const events = await server.events(String(session['session_id']))
      expect(events[0]).toMatchObject({ data: { work: { called: { inner: { file: 'inner.yaml', source: INNER } } } } })
      expect(events.find(({ type }) => type === 'commands_sent')).toMatchObject({ data: { label: 'calls: a' } })
    })
  })

  it('fails with it, and its retry, foreach and continue-on-error count', async () => {
    await withLibrary({ 'inner.yml': INNER }, async (server) => {
      const { calls } = await answerDevice(server, { execute_command: shell })
      const text = 'steps: [{ id: b, uses: "workflow:inner", foreach: [0, 5, 0], with: { n: "${{ item }}" } }]'
      expect(await runWorkflow(server, text)).toMatchObject({
        status: 'failed',
        error: "step 'b' failed: step 'a' failed: the program ended with exit code 5",
      })
      expect(commandsOf(calls)).toEqual(['exit 0', 'inner clean', 'exit 5', 'inner clean'])
    })
  })

  it('is refused with the place before anything runs if the call cannot be right', async () => {
    const files = {
      'inner.yaml': INNER,
      'a.yaml': 'steps: [{ uses: "workflow:b" }]',
      'b.yaml': 'steps: [{ uses: "workflow:A" }]',
      'd1.yaml': 'steps: [{ uses: "workflow:d2" }]',
      'd2.yaml': 'steps: [{ uses: "workflow:d3" }]',
      'd3.yaml': 'steps: [{ uses: "workflow:d4" }]',
      'd4.yaml': 'steps: [{ run: deep }]',
    }
    await withLibrary(files, async (server) => {
      await answerDevice(server, {})
      const problem = async (workflow: string): Promise<unknown> => {
        const { status, body } = await server.api('/api/sessions', { device_id: 'd1', workflow, file: 'my.yaml' })
        return [status, body['code'], body['detail']]
      }
      expect(await problem('steps:\n  - uses: workflow:inner\n    with: { m: 1 }')).toEqual([
        400,
        'INVALID_WORKFLOW',
        "my.yaml:2:11: workflow 'inner' needs the input 'n'\nmy.yaml:3:13: workflow 'inner' has no input 'm'",
      ])
      expect(await problem('steps:\n  - uses: workflow:gone')).toEqual([
        400,
        'INVALID_WORKFLOW',
        expect.stringMatching(/^my\.yaml:2:11: there is no workflow 'gone'; there are: /),
      ])
      expect(await problem('a')).toEqual([
        400,
        'INVALID_WORKFLOW',
        'b.yaml:1:17: the workflows call each other in a circle: a → b → A',
      ])
      expect(await problem('steps: [{ uses: "workflow:d1" }]')).toEqual([
        400,
        'INVALID_WORKFLOW',
        'd3.yaml:1:17: workflows call each other 4 levels deep at most: my → d1 → d2 → d3 → d4',
      ])
      expect(await problem('d1')).toEqual([201, undefined, undefined])
    })
  })
})

describe('a workflow by its name', () => {
  it('is taken by POST /api/sessions as its text is, whatever the case of the name', async () => {
    await using server = await startTestServer()
    await answerDevice(server, { get_system_info: () => ({ uname: 'Linux' }), execute_command: shell })
    for (const work of [
      { workflow: 'system-report' },
      { workflow: 'System-Report', inputs: { path: '/tmp' } },
      { request: 'workflow:SYSTEM-REPORT' },
    ]) {
      const { status, body } = await server.api('/api/sessions', { device_id: 'd1', ...work })
      expect(status, JSON.stringify(body)).toBe(201)
      await server.events(String(body['session_id']))
    }
    expect(await server.api('/api/sessions', { device_id: 'd1', workflow: 'nope' })).toMatchObject({
      status: 404,
      body: { code: 'WORKFLOW_NOT_FOUND' },
    })
  })

  it('is that of its file where it has none of its own', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'orrery-'))
    {
      await using server = await startTestServer({ dataDir })
      // The folder is there from the start.
      writeFileSync(join(dataDir, 'workflows', 'Nightly_Build.yml'), 'steps: [{ run: a }]')
      writeFileSync(join(dataDir, 'workflows', 'other.yaml'), 'name: renamed\nsteps: [{ run: a }]')
      writeFileSync(join(dataDir, 'workflows', 'My notes.yaml'), 'steps: [{ run: a }]')
      await answerDevice(server, { execute_command: shell })
      const { body } = await server.api('/api/workflows')
      expect((body['workflows'] as Json[]).map(({ name }) => name)).toEqual(expect.arrayContaining(['Nightly_Build', 'renamed']))
      expect(body['invalid']).toEqual([
        { file: 'My notes.yaml', problems: [expect.stringMatching(/^My notes\.yaml:1:1: .*add a 'name'/)] },
      ])
      for (const name of ['nightly_build', 'renamed', 'other'])
        expect((await server.api('/api/sessions', { device_id: 'd1', workflow: name })).status, name).toBe(201)
    }
    rmSync(dataDir, { recursive: true })
  })
})
