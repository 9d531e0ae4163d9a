// Uses each of the tools that come with a device, by a workflow. Only folders under its roots are open to it.
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { OrreryApi } from '@orrery/constellation'
import { DeviceConfig, startDevice } from '@orrery/device'
import { startServer } from '@orrery/server'

const root = mkdtempSync(join(tmpdir(), 'orrery-tour-'))
writeFileSync(join(root, 'about.md'), 'An Orrery\nshows how things move\n')
const server = await startServer({ port: 0, operatorKey: 'operator', deviceKey: 'device' })
const device = startDevice({
  serverUrl: `${server.url.replace('http', 'ws')}/ws`,
  token: 'device',
  clientId: 'here',
  config: DeviceConfig.parse({ roots: [root] }),
})
await device.registered

const api = new OrreryApi({ server: server.url, apiKey: 'operator' })
const workflow = readFileSync(new URL('workflows/tour.yaml', import.meta.url), 'utf8')
const session = await api.sessions.create({ device_id: 'here', workflow, file: 'tour.yaml' })
for await (const event of api.sessions.events(session.session_id))
  if (event.type === 'commands_sent') console.log(event.data['label'])
const { status, result, error } = await api.sessions.get(session.session_id)
console.log(result)
assert.equal(status, 'completed', error ?? '')
assert.match(JSON.stringify(result), /An Orrery/)

await device.stop()
await server.stop()
rmSync(root, { recursive: true })
