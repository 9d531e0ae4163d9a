// Runs a workflow file on a device, the same steps each time and without a model, and follows it.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { OrreryApi } from '@orrery/constellation'
import { startDevice } from '@orrery/device'
import { startServer } from '@orrery/server'

const server = await startServer({ port: 0, operatorKey: 'operator', deviceKey: 'device' })
const device = startDevice({ serverUrl: `${server.url.replace('http', 'ws')}/ws`, token: 'device', clientId: 'here' })
await device.registered

const api = new OrreryApi({ server: server.url, apiKey: 'operator' })
const workflow = readFileSync(new URL('workflows/folders.yaml', import.meta.url), 'utf8')
const session = await api.sessions.create({
  device_id: 'here',
  workflow,
  file: 'folders.yaml',
  inputs: { paths: ['.', '/no/such/folder'] },
})
for await (const event of api.sessions.events(session.session_id))
  if (event.type === 'commands_sent') console.log(event.data['label'])
const { status, result, error } = await api.sessions.get(session.session_id)
console.log(result)
assert.equal(status, 'completed', error ?? '')
assert.match(JSON.stringify(result), /some folders could not be read/)

await device.stop()
await server.stop()
