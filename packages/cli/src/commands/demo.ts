import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { messageOf } from '@orrery/aip'
import type { Session } from '@orrery/aip/api'
import type { OrreryApi } from '@orrery/constellation'
import { Command } from 'commander'
import { DEMO_STEPS, type DemoStep } from '../demo/demo-steps.js'
import { CliError } from '../terminal/errors.js'
import { examples } from '../terminal/help.js'
import { orrery } from '../terminal/invocation.js'
import { chooseLogLevel, createLogger } from '../settings/logging.js'
import { duration } from '../terminal/format.js'
import { paint, painted } from '../terminal/painted.js'
import { print, printValue } from '../terminal/write.js'

/** `orrery demo`: a server, a device and an MCP server for a few seconds, and real commands on them. */
export function demoCommand(): Command {
  return new Command('demo')
    .summary('see it work: a server, a device and real commands, in a few seconds')
    .description(
      'Starts a server on a free port, a device and an MCP server as its child process, runs real commands on them, and stops ' +
        'all of it, and deletes what they left. Exit code 0 only if everything that it shows has happened.',
    )
    .addHelpText('after', examples([['orrery demo', 'takes a few seconds and needs no model']]))
    .action(demo)
}

async function demo(): Promise<void> {
  const begun = performance.now()
  const [{ startServer }, { startDevice, DeviceConfig }, { OrreryApi }, { everythingServer }] = await Promise.all([
    import('@orrery/server'),
    import('@orrery/device'),
    import('@orrery/constellation'),
    import('../demo/everything-server.js'),
  ])
  const logger = await createLogger(chooseLogLevel(process.env['ORRERY_LOG_LEVEL'] === undefined ? 'ERROR' : undefined))
  const folder = mkdtempSync(join(tmpdir(), 'orrery-demo-'))
  const keys = { operatorKey: randomUUID(), deviceKey: randomUUID() }
  const server = await startServer({ port: 0, dataDir: folder, logger, ...keys })
  const device = startDevice({
    serverUrl: `${server.url.replace('http', 'ws')}/ws`,
    token: keys.deviceKey,
    clientId: 'demo-device',
    config: DeviceConfig.parse({
      mcpServers: { everything: { command: process.execPath, args: [everythingServer(), 'stdio'] } },
      // Tools of servers that are not built in are asked about; a demo has no one to answer.
      policy: [{ server: 'everything', do: 'allow' }],
    }),
    logger,
  })
  try {
    await device.registered
    print(painted`${paint('bold', 'Orrery demo')}  a server at ${server.url}, the device demo-device, an MCP server as its child`)
    const api = new OrreryApi({ server: server.url, apiKey: keys.operatorKey })
    let report: unknown
    for (const step of DEMO_STEPS) report = (await runStep(api, step)).result
    print(painted`\n${paint('bold', 'Report')}`)
    printValue(report)
    const kept = await api.sessions.list({ limit: 100 })
    if (kept.length !== DEMO_STEPS.length)
      throw new CliError(`The event log has ${kept.length} sessions, not ${DEMO_STEPS.length}`)
    print(
      painted`\n${paint('green', '✓')} ${kept.length} sessions ran, each step in the event log, which is deleted now. It took ${duration(performance.now() - begun)}.`,
    )
    print(`Next: ${orrery('up')} starts a server that stays, with this machine as its first device.`)
  } finally {
    await device.stop()
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Runs a step, shows each of its commands, and checks what came out. */
async function runStep(api: OrreryApi, step: DemoStep): Promise<Session> {
  print(painted`\n${paint('bold', step.title)}`)
  const { Progress } = await import('../follow/progress.js')
  const session = await api.sessions.create({ device_id: 'demo-device', ...step.work })
  const progress = new Progress('demo-device', { results: true, stream: process.stdout, denialExpected: step.denied === true })
  try {
    for await (const event of api.sessions.events(session.session_id)) progress.show(event)
  } finally {
    progress.close()
  }
  const ended = await api.sessions.get(session.session_id)
  try {
    step.verify(ended)
  } catch (cause) {
    throw new CliError(`The demo failed at '${step.title}': ${messageOf(cause)}`, undefined, { cause })
  }
  return ended
}
