import { describe, expect, it } from 'vitest'
import { withoutGalaxyForm } from '../src/agents/workflow/galaxy-request.js'
import { scriptedAgent } from '../../../test/support/scripted-agent.js'
import { DEVICE_KEY, OPERATOR_KEY, startTestServer } from '../../../test/support/test-server.js'
import { WireClient, type Json } from '../../../test/support/wire-client.js'

const CONSTELLATION = { client_id: 'galaxy@d1', client_type: 'constellation' }

/** A task as an existing constellation client sends it. */
function galaxyTask(description: string, tips: string[] = []): Json {
  const list = tips.length === 0 ? 'No tips available.' : tips.map((tip) => ` - ${tip}`).join('\n')
  return {
    type: 'task',
    client_type: 'constellation',
    target_id: 'd1',
    session_id: 'galaxy@star-1',
    task_name: 'galaxy/demo/star',
    request: `Task Description: ${description}\nTips for Completion:\n${list}`,
  }
}

describe('a task of an existing constellation client', () => {
  it('that is refused gets its end, with its session id and the text of the error', async () => {
    await using server = await startTestServer({ agents: [scriptedAgent] })
    const client = await WireClient.register(server.url, OPERATOR_KEY, CONSTELLATION)
    client.send(galaxyTask('anything'))
    const text = "Target device 'd1' is not connected"
    expect(await client.next()).toMatchObject({ type: 'error', session_id: null, error: text })
    expect(await client.next()).toMatchObject({
      type: 'task_end',
      status: 'failed',
      session_id: 'galaxy@star-1',
      error: text,
      result: [],
    })
  })

  it('that repeats a live session leaves that session alone', async () => {
    await using server = await startTestServer({ agents: [scriptedAgent] })
    await WireClient.register(server.url, DEVICE_KEY, { client_id: 'd1' })
    const client = await WireClient.register(server.url, OPERATOR_KEY, CONSTELLATION)
    client.send({ ...galaxyTask('x'), request: 'hang' })
    expect(await client.next()).toMatchObject({ type: 'heartbeat' })
    client.send({ ...galaxyTask('x'), request: 'hang' })
    expect(await client.next()).toMatchObject({ type: 'error' })
    expect(await client.nextWithin(50)).toBeNull()
  })

  it('runs a workflow that it names', async () => {
    await using server = await startTestServer()
    const device = await WireClient.register(server.url, DEVICE_KEY, { client_id: 'd1' })
    const client = await WireClient.register(server.url, OPERATOR_KEY, CONSTELLATION)
    const { body } = await server.api('/api/workflows')
    const name = String((body['workflows'] as Json[])[0]?.['name'])
    client.send(galaxyTask(`workflow:${name}`, ['be quick', 'be right']))
    expect(await client.next()).toMatchObject({ type: 'heartbeat', session_id: 'galaxy@star-1' })
    expect(await device.next()).toMatchObject({ type: 'command', session_id: 'galaxy@star-1' })
    expect((await server.api('/api/sessions')).body['sessions']).toMatchObject([{ agent: 'workflow' }])
  })

  it.each([
    ['Task Description: workflow:check', 'workflow:check'],
    ['Task Description: workflow:check {"path": "/"}\nTips for Completion:\n - one', 'workflow:check {"path": "/"}'],
    ['Task Description: look at workflow:check\nTips for Completion:\nNo tips available.', null],
    ['workflow:check', null],
    ['Tell me about it', null],
  ])('%j is about %j', (request, about) => {
    expect(withoutGalaxyForm(request)).toBe(about ?? request)
  })
})
