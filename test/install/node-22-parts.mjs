// What runs on another Node than the server: `device URL KEY ID` is a device until its input ends, `client URL KEY ID` an orchestrator that gives it a task.
const [, , part, server, key, id] = process.argv

if (part === 'device') {
  const { startDevice } = await import('@orrery/device')
  const device = startDevice({
    serverUrl: `${server.replace('http', 'ws')}/ws`,
    token: key,
    clientId: id,
    journalPath: process.argv[6],
  })
  await device.registered
  console.log('registered')
  process.stdin.once('end', () => void device.stop()).resume()
  await device.done
} else {
  const { ConstellationClient, OrreryApi } = await import('@orrery/constellation')
  const client = new ConstellationClient({ name: 'node-22', devices: [{ deviceId: id, server, apiKey: key }] })
  await client.connect(id)
  const run = client.runTask(id, 'run get_system_info')
  const events = []
  for await (const { type } of run.events()) events.push(type)
  const { result } = await run.result
  const devices = await new OrreryApi({ server, apiKey: key }).devices.list()
  console.log(
    JSON.stringify({ events, results: result.length, devices: devices.map(({ status }) => status), node: process.version }),
  )
  await client.close()
}
