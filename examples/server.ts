// A server in 20 lines, with one device in the same process.
import assert from 'node:assert/strict'
import { OrreryApi } from '@orrery/constellation'
import { startDevice } from '@orrery/device'
import { startServer } from '@orrery/server'

const server = await startServer({ port: 0, operatorKey: 'operator', deviceKey: 'device' })
const device = startDevice({ serverUrl: `${server.url.replace('http', 'ws')}/ws`, token: 'device', clientId: 'here' })
await device.registered

const api = new OrreryApi({ server: server.url, apiKey: 'operator' })
const command = { tool_name: 'execute_command', parameters: { command: 'uname -a' } }
const { status, results } = await api.devices.runCommands('here', { commands: [command] })
console.log(status, results[0]?.result)
assert.equal(status, 'completed')

await device.stop()
await server.stop()
