// An agent of your own in the server: requests that begin with "shout" are answered by it, everything else by the built-in agents.
import assert from 'node:assert/strict'
import { OrreryApi } from '@orrery/constellation'
import { startDevice } from '@orrery/device'
import { startServer, type Agent } from '@orrery/server'

const shout: Agent = {
  name: 'shout',
  accepts: (work) => work.kind === 'words' && work.request.startsWith('shout '),
  async run(context) {
    const words = context.work.kind === 'words' ? context.work.request.slice('shout '.length) : ''
    const [result] = await context.execute([
      { tool_name: 'execute_command', tool_type: 'action', parameters: { command: `echo ${words}` } },
    ])
    if (result?.status !== 'success') return { status: 'failed', result: null, error: result?.error ?? 'no result' }
    return { status: 'completed', result: JSON.stringify(result.result).toUpperCase() }
  },
}

const server = await startServer({ port: 0, operatorKey: 'operator', deviceKey: 'device', agents: [shout] })
const device = startDevice({ serverUrl: `${server.url.replace('http', 'ws')}/ws`, token: 'device', clientId: 'here' })
await device.registered

const api = new OrreryApi({ server: server.url, apiKey: 'operator' })
const session = await api.sessions.create({ device_id: 'here', request: 'shout hello world' })
for await (const event of api.sessions.events(session.session_id)) console.log(event.type)
const { status, result } = await api.sessions.get(session.session_id)
console.log(status, result)
assert.equal(status, 'completed')
assert.match(String(result), /HELLO WORLD/)

await device.stop()
await server.stop()
