// The server under attack, in a process of its own with the collector at hand. It reports what would have ended a careless process.
import { resolveModel, startServer } from '@orrery/server'

const { FUZZ_DATA_DIR: dataDir, FUZZ_MODEL_URL: modelUrl } = process.env

process.on('unhandledRejection', (reason) => process.send?.({ unhandled: String(reason) }))
process.on('uncaughtException', (error) => process.send?.({ unhandled: `${error.stack}` }))

const model = resolveModel(
  { ORRERY_MODEL: 'hostile' },
  {
    provider: 'openai-compatible',
    ...(modelUrl === undefined ? {} : { base_url: modelUrl }),
    api_key: 'none',
    timeout_s: 2,
    retries: 0,
    limits: { steps: 4, time_s: 10 },
  },
)
const server = await startServer({
  port: 0,
  operatorKey: 'operator-key-of-the-fuzz',
  deviceKey: 'device-key-of-the-fuzz',
  ...(model === null ? {} : { model }),
  ...(dataDir === undefined ? {} : { dataDir }),
  // Every line costs what it costs a real server.
  logger: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
})

process.on('message', (question) => {
  if (question !== 'memory') return
  for (let round = 0; round < 3; round += 1) globalThis.gc?.()
  const { heapUsed, external } = process.memoryUsage()
  process.send?.({ memory: heapUsed + external })
})
process.send?.({ url: server.url })
