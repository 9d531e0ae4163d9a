// An orchestrator on the wire: two devices behind two servers get the same workflow at once, and each answer says whose it is.
import assert from 'node:assert/strict'
import { ConstellationClient, ConstellationError } from '@orrery/constellation'
import { startDevice } from '@orrery/device'
import { startServer } from '@orrery/server'

const keys = { operatorKey: 'operator', deviceKey: 'device' }
const servers = await Promise.all(['north', 'south'].map(() => startServer({ port: 0, ...keys })))
const names = ['north', 'south']
const devices = servers.map(({ url }, at) =>
  startDevice({ serverUrl: `${url.replace('http', 'ws')}/ws`, token: 'device', clientId: names[at] ?? '' }),
)
await Promise.all(devices.map((device) => device.registered))

const constellation = new ConstellationClient({
  name: 'inspection',
  devices: servers.map(({ url }, at) => ({ deviceId: names[at] ?? '', server: url, apiKey: 'operator' })),
})
assert.deepEqual(await constellation.connectAll(), [])

for (const run of names.map((name) => constellation.runTask(name, 'workflow:system-report'))) {
  for await (const event of run.events()) console.log(`${run.deviceId}: ${event.type}`)
  const { result } = await run.result
  assert.match(String(result), new RegExp(`Device: ${run.deviceId}`))
}

const failed = await constellation.runTask('north', 'workflow:no-such-one').result.catch((error: unknown) => error)
assert.ok(failed instanceof ConstellationError)
console.log(failed.message)

await constellation.close()
await Promise.all(devices.map((device) => device.stop()))
await Promise.all(servers.map((server) => server.stop()))
