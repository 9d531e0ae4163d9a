// The server under test, with an agent that measures. Its memory is kept as `orrery server` keeps it. BENCH_DATA_DIR switches the event log on.
import { OrreryApi } from '@orrery/constellation'
import { startServer, type Agent } from '@orrery/server'
import { staySmallAsServer } from '../packages/cli/src/running/memory-guard.ts'
import { answerQuestions, type CommandTimes } from './child.ts'

staySmallAsServer()

let each: number[] = []

const measuring: Agent = {
  name: 'measuring',
  accepts: (work) => work.kind === 'words',
  async run(context) {
    const count = context.work.kind === 'words' ? Number(context.work.request) : 0
    for (let index = 0; index < count; index += 1) {
      const sent = performance.now()
      await context.execute([{ tool_name: 'echo', parameters: { index }, tool_type: 'action' }])
      each.push(performance.now() - sent)
    }
    return { status: 'completed', result: null }
  },
}

const dataDir = process.env['BENCH_DATA_DIR']
const server = await startServer({
  port: 0,
  operatorKey: 'operator',
  deviceKey: 'device',
  agents: [measuring],
  // How many messages it can take is what is measured; BENCH_LIMITED leaves the limit on.
  ...(process.env['BENCH_LIMITED'] === undefined ? { messageRate: Infinity } : {}),
  ...(dataDir === undefined ? {} : { dataDir, durability: process.env['BENCH_DURABILITY'] === 'full' ? 'full' : 'normal' }),
})
const api = new OrreryApi({ server: server.url, apiKey: 'operator', timeoutMs: 120_000 })

async function commands(devices: string[], count: number): Promise<CommandTimes> {
  each = []
  const ended = new Map<string, () => void>()
  const stop = server.onSessionEvent((event) => {
    if (event.type === 'ended') ended.get(event.session_id)?.()
  })
  const begun = performance.now()
  await Promise.all(
    devices.map(async (device_id) => {
      const { promise, resolve } = Promise.withResolvers<void>()
      const { session_id } = await api.sessions.create({ device_id, request: String(count) })
      ended.set(session_id, resolve)
      if ((await api.sessions.get(session_id)).ended_at !== null) resolve()
      await promise
    }),
  )
  stop()
  return { each, all: performance.now() - begun }
}

answerQuestions(server.url, commands)
