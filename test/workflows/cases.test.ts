import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import type { Json } from '../support/wire-client.ts'
import { startWorkflowRig, type WorkflowRig } from './run-on-device.ts'

const read = (path: string): string => readFileSync(new URL(`cases/${path}`, import.meta.url), 'utf8')
const ECHO = fileURLToPath(new URL('echo-server.mjs', import.meta.url))
const SAID = fileURLToPath(new URL('../../packages/device/test/fixtures/said-server.mjs', import.meta.url))

/** A device with an MCP server that says what the file of the case says. */
function withServer(name: string): Promise<WorkflowRig> {
  const { list, ...said } = JSON.parse(read(`${name}/server.json`)) as { list: Json }
  const server = { command: process.execPath, args: [SAID], env: { SAID: JSON.stringify({ ...said, ...list }) } }
  return startWorkflowRig({ laptop: { mcpServers: { case: server } } })
}

async function commandsOf({ server }: WorkflowRig, session: Json): Promise<unknown[]> {
  const events = await server.events(String(session['session_id']))
  return events
    .filter(({ type }) => type === 'commands_sent')
    .flatMap(({ data }) => (data as { commands: Json[] }).commands.map(({ parameters }) => (parameters as Json)['command']))
}

describe('workflows as people write them, on a real device', () => {
  it('hand a result on with all its keys', async () => {
    await using rig = await withServer('keys-by-case')
    expect((await rig.run(read('keys-by-case/workflow.yaml')))['result']).toEqual({ http_proxy: 'a', HTTP_PROXY: 'b', Path: 'c' })
  })

  it('find names whatever their case', async () => {
    await using rig = await startWorkflowRig()
    expect(await rig.run(read('names-ignore-case/workflow.yaml'))).toMatchObject({ status: 'completed', result: 'bob success' })
  })

  it('clean up after a step that failed', async () => {
    await using rig = await startWorkflowRig()
    const session = await rig.run(read('status-functions/workflow.yaml'))
    expect(session).toMatchObject({
      status: 'failed',
      error: expect.stringMatching(/^step 'work' failed: .*exit code 1/) as unknown,
    })
    expect(await commandsOf(rig, session)).toEqual(['false', 'echo it failed', 'echo cleaned'])
  })

  it('call tools of any name', async () => {
    await using rig = await withServer('tool-names')
    expect(await rig.run(read('tool-names/workflow.yaml'))).toMatchObject({ status: 'completed', steps: 3 })
  })

  it('give a tool integers of 64 bits with all their digits', async () => {
    await using rig = await startWorkflowRig({ laptop: { mcpServers: { echo: { command: process.execPath, args: [ECHO] } } } })
    const text = `inputs: { id: { type: number } }
steps:
  - { id: a, tool: echo, with: { literal: -9223372036854775808, input: "\${{ inputs.id }}", text: "<\${{ inputs.id }}>" } }
`
    // The digits must not be lost in the test either.
    const headers = { 'x-api-key': 'operator-key', 'content-type': 'application/json' }
    const request = JSON.stringify({ device_id: 'laptop', workflow: text, inputs: { id: 0 } }).replace(
      '"id":0',
      '"id":9223372036854775807',
    )
    const response = await fetch(`${rig.server.url}/api/sessions`, { method: 'POST', headers, body: request })
    const { session_id: id } = (await response.json()) as { session_id: string }
    await rig.server.events(id)
    const { result } = (await rig.server.api(`/api/sessions/${id}`)).body as { result: { a: string } }
    expect(result.a).toContain('"literal":-9223372036854775808')
    expect(result.a).toContain('"input":9223372036854775807')
    expect(result.a).toContain('"text":"<9223372036854775807>"')
  })
})
