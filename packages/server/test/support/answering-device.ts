import { expect } from 'vitest'
import { DEVICE_KEY, type TestServer } from '../../../../test/support/test-server.js'
import { WireClient, type Json } from '../../../../test/support/wire-client.js'

/** What the device answers a tool: a result, or `{ fail: text, result? }`. */
export type Answer = (parameters: Json, call: number) => unknown

/** A device that answers commands by tool name and notes what it was asked. */
export async function answerDevice(
  server: Pick<TestServer, 'url'>,
  answers: Record<string, Answer>,
  register: Json = {},
): Promise<{ calls: Json[]; device: WireClient }> {
  const device = await WireClient.register(server.url, DEVICE_KEY, { client_id: 'd1', ...register })
  const calls: Json[] = []
  const counts = new Map<string, number>()
  void (async () => {
    for (;;) {
      const message = await device.next()
      if (message['type'] !== 'command') continue
      const results = (message['actions'] as Json[]).map((action) => {
        const tool = String(action['tool_name'])
        calls.push({ tool, ...(action['parameters'] as Json) })
        const count = counts.get(tool) ?? 0
        counts.set(tool, count + 1)
        const value = answers[tool]?.(action['parameters'] as Json, count) ?? null
        const failed = typeof value === 'object' && value !== null && 'fail' in value
        return {
          status: failed ? 'failure' : 'success',
          error: failed ? value.fail : null,
          result: failed ? ((value as Json)['result'] ?? null) : value,
          call_id: action['call_id'],
        }
      })
      device.send({
        type: 'command_results',
        session_id: message['session_id'],
        prev_response_id: message['response_id'],
        action_results: results,
      })
    }
  })().catch(() => {})
  return { calls, device }
}

/** Runs a workflow on the device `d1`. @returns the session, ended */
export async function runWorkflow(server: TestServer, workflow: string, inputs: Json = {}): Promise<Json> {
  const { status, body } = await server.api('/api/sessions', { device_id: 'd1', workflow, inputs, file: 'my.yaml' })
  expect(status, JSON.stringify(body)).toBe(201)
  const id = String(body['session_id'])
  await server.events(id)
  return (await server.api(`/api/sessions/${id}`)).body
}
