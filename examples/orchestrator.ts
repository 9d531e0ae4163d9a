// An orchestrator with two devices: the same question to both at once, then a command for the one that answered best.
import assert from 'node:assert/strict'
import { OrreryApi } from '@orrery/constellation'
import { startDevice } from '@orrery/device'
import { startServer } from '@orrery/server'

const server = await startServer({ port: 0, operatorKey: 'operator', deviceKey: 'device' })
const serverUrl = `${server.url.replace('http', 'ws')}/ws`
const devices = ['north', 'south'].map((clientId) => startDevice({ serverUrl, token: 'device', clientId }))
await Promise.all(devices.map((device) => device.registered))

const api = new OrreryApi({ server: server.url, apiKey: 'operator' })
const online = (await api.devices.list()).filter((device) => device.status === 'online').map((device) => device.device_id)
assert.deepEqual(online.toSorted(), ['north', 'south'])

const loads = await Promise.all(
  online.map(async (id) => {
    const { results } = await api.devices.runCommands(id, {
      commands: [{ tool_name: 'execute_command', parameters: { command: 'cat /proc/loadavg' } }],
    })
    const output = results[0]?.result as { stdout: string } | undefined
    return { id, load: Number.parseFloat(output?.stdout ?? '') }
  }),
)
const [quietest] = loads.toSorted((a, b) => a.load - b.load)
assert.ok(quietest !== undefined)
const { status } = await api.devices.runCommands(quietest.id, { commands: [{ tool_name: 'get_system_info' }] })
console.log(`${quietest.id} has the lower load (${quietest.load}); it was asked: ${status}`)
assert.equal(status, 'completed')

await Promise.all(devices.map((device) => device.stop()))
await server.stop()
