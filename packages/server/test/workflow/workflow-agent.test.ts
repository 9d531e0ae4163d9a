import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../../../test/support/manual-clock.js'
import { OPERATOR_KEY, startTestServer } from '../../../../test/support/test-server.js'
import { WireClient, type Json } from '../../../../test/support/wire-client.js'
import { answerDevice, runWorkflow } from '../support/answering-device.js'

const HEAD = 'name: demo\ndescription: A test\n'

describe('a workflow', () => {
  it('fills inputs, runs its steps in order, and makes its result; the same the second time', async () => {
    await using server = await startTestServer()
    const { calls } = await answerDevice(server, { disk: ({ path }) => ({ used: 40, path }), say: ({ text }) => text })
    const text = `${HEAD}inputs:
  path: { type: string, default: / }
steps:
  - { id: disk, tool: "action::disk", with: { path: "\${{ inputs.path }}", deep: [{ raw: "\${{ inputs }}" }] } }
  - { id: said, tool: say, with: { text: "used \${{ steps.disk.result.used }} %" } }
result:
  used: \${{ steps.disk.result.used }}
  text: \${{ steps.said.result }}
  where: "\${{ device.id }} on \${{ device.platform }}"
`
    const first = await runWorkflow(server, text, { path: '/home' })
    const second = await runWorkflow(server, text, { path: '/home' })
    expect(first).toMatchObject({
      status: 'completed',
      agent: 'workflow',
      request: 'workflow:demo {"path":"/home"}',
      steps: 2,
      result: { used: 40, text: 'used 40 %', where: 'd1 on linux' },
    })
    expect(second['result']).toEqual(first['result'])
    expect(calls.slice(0, 2)).toEqual([
      { tool: 'disk', path: '/home', deep: [{ raw: { path: '/home' } }] },
      { tool: 'say', text: 'used 40 %' },
    ])
    const [accepted] = await server.events(String(first['session_id']))
    expect(accepted).toMatchObject({ data: { work: { kind: 'workflow', source: text } } })
  })

  it('skips a step whose condition is false, and lets later ones see it', async () => {
    await using server = await startTestServer()
    const { calls } = await answerDevice(server, { a: () => 1 })
    const text = `${HEAD}steps:
  - { id: no, tool: a, if: "inputs.x == 1" }
  - { id: also-no, tool: a, if: false }
  - { id: yes, tool: a, if: "\${{ steps.no.status == 'skipped' }}" }
`.replace('steps:', 'inputs:\n  x: { type: number, default: 0 }\nsteps:')
    expect(await runWorkflow(server, text)).toMatchObject({ status: 'completed', result: { no: null, 'also-no': null, yes: 1 } })
    expect(calls).toHaveLength(1)
  })

  it('runs a step for each item of a list', async () => {
    await using server = await startTestServer()
    await answerDevice(server, { double: ({ n }) => Number(n) * 2 })
    const text = `${HEAD}inputs: { list: { type: array, default: [1, 2, 3] } }
steps:
  - { id: d, tool: double, foreach: "\${{ inputs.list }}", with: { n: "\${{ item }}", at: "\${{ index }}" } }
result: \${{ join(steps.d.result, '-') }}
`
    expect(await runWorkflow(server, text)).toMatchObject({ result: '2-4-6' })
  })

  it('fails at a step that fails, unless it may continue', async () => {
    await using server = await startTestServer()
    const { calls } = await answerDevice(server, { bad: () => ({ fail: 'no disk' }), good: () => 'ok' })
    const steps = (flag: string): string =>
      `${HEAD}steps:\n  - { id: b, tool: bad${flag} }\n  - { id: g, tool: good }\nresult: "\${{ steps.b.error }} \${{ steps.g.result }}"\n`
    expect(await runWorkflow(server, steps(''))).toMatchObject({
      status: 'failed',
      error: "step 'b' failed: no disk",
      result: null,
    })
    expect(calls).toHaveLength(1)
    expect(await runWorkflow(server, steps(', continue-on-error: true'))).toMatchObject({
      status: 'completed',
      result: 'no disk ok',
    })
  })

  it('tries a failed call again, after its wait', async () => {
    const clock = new ManualClock()
    await using server = await startTestServer({ clock })
    const { calls } = await answerDevice(server, { flaky: (_, call) => (call < 2 ? { fail: 'not yet' } : 'done') })
    const text = `${HEAD}steps:\n  - { id: f, tool: flaky, retry: { times: 3, wait_ms: 5000 } }\nresult: \${{ steps.f.result }}\n`
    const running = runWorkflow(server, text)
    for (let tries = 1; tries < 3; tries += 1) {
      while (calls.length < tries || !clock.waits.includes(5000)) await new Promise((resolve) => setImmediate(resolve))
      await clock.advance(5000)
    }
    expect(await running).toMatchObject({ status: 'completed', result: 'done', steps: 3 })
  })

  it('fails with the reason when an expression cannot be evaluated', async () => {
    await using server = await startTestServer()
    await answerDevice(server, { a: () => 'not json' })
    const text = `${HEAD}steps:\n  - { id: a, tool: a }\n  - { id: b, tool: a, foreach: "\${{ steps.a.result }}" }\n`
    expect(await runWorkflow(server, text)).toMatchObject({
      status: 'failed',
      error: "step 'b' failed: foreach needs a list, not string",
    })
    const json = `${HEAD}steps:\n  - { id: a, tool: a }\nresult: \${{ fromJSON(steps.a.result) }}\n`
    expect((await runWorkflow(server, json))['error']).toMatch(/^the result cannot be made: /)
  })

  it('is refused before anything runs when it has a mistake or its inputs are wrong', async () => {
    await using server = await startTestServer()
    const { calls } = await answerDevice(server, {})
    const post = (body: Json): Promise<unknown> => server.api('/api/sessions', { device_id: 'd1', ...body })
    expect(await post({ workflow: `${HEAD}steps: []`, file: 'my.yaml' })).toMatchObject({
      status: 400,
      body: { code: 'INVALID_WORKFLOW', detail: expect.stringMatching(/^my\.yaml:3:8: /) as unknown },
    })
    expect(await post({ request: 'workflow:system-report {"paht": "/"}' })).toMatchObject({
      status: 400,
      body: { code: 'INVALID_INPUTS', detail: "Workflow 'system-report': there is no input 'paht'. It takes: path (string)" },
    })
    expect(await post({ request: 'workflow:system-report nonsense' })).toMatchObject({
      status: 400,
      body: { code: 'INVALID_INPUTS' },
    })
    expect(await post({ request: 'workflow:../../etc/passwd' })).toMatchObject({
      status: 404,
      body: { code: 'WORKFLOW_NOT_FOUND', detail: expect.stringContaining('system-report') as unknown },
    })
    expect(await post({ request: `workflow:${'x'.repeat(3000)}` })).toMatchObject({
      status: 404,
      body: { code: 'WORKFLOW_NOT_FOUND' },
    })
    expect(calls).toEqual([])
    expect((await server.api('/api/sessions')).body).toMatchObject({ sessions: [] })
  })

  it('can be asked for on the wire, by name', async () => {
    await using server = await startTestServer()
    await answerDevice(server, { get_system_info: () => ({ uname: 'Linux' }), execute_command: () => ({ stdout: '40 %' }) })
    const constellation = await WireClient.register(server.url, OPERATOR_KEY, { client_id: 'c1', client_type: 'constellation' })
    const task = { type: 'task', client_type: 'constellation', target_id: 'd1' }
    constellation.send({ ...task, request: 'workflow:system-report {"path": "/home"}' })
    expect(await constellation.next()).toMatchObject({ type: 'heartbeat' })
    expect(await constellation.next()).toMatchObject({
      type: 'task_end',
      status: 'completed',
      result: [
        { request: 'workflow:system-report {"path":"/home"}', result: expect.stringContaining('System: Linux') as unknown },
      ],
    })
    constellation.send({ ...task, request: 'workflow:nope' })
    expect((await constellation.next())['error']).toMatch(/^There is no workflow 'nope'; there are: /)
  })

  it('of the data folder comes before a bundled one, and a broken file is listed with its mistakes', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'orrery-'))
    mkdirSync(join(dataDir, 'workflows'))
    writeFileSync(
      join(dataDir, 'workflows', 'system-report.yaml'),
      'name: system-report\ndescription: Mine\nsteps: [{ tool: x }]\n',
    )
    writeFileSync(join(dataDir, 'workflows', 'broken.yaml'), 'name: [')
    {
      await using server = await startTestServer({ dataDir })
      const { workflows } = (await server.api('/api/workflows')).body as { workflows: Json[] }
      expect(workflows.map((workflow) => workflow['name'])).toEqual([
        'disk-cleanup',
        'service-health',
        'system-report',
        'test-run',
      ])
      expect(workflows.find((workflow) => workflow['name'] === 'system-report')).toEqual({
        name: 'system-report',
        description: 'Mine',
        inputs: [],
      })
      expect((await server.api('/api/workflows')).body['invalid']).toEqual([
        { file: 'broken.yaml', problems: [expect.stringMatching(/^broken\.yaml:1:8: /)] },
      ])
      expect(server.log.lines.some((line) => line.startsWith('warn Workflow left out: '))).toBe(true)
    }
    rmSync(dataDir, { recursive: true })
  })
})
