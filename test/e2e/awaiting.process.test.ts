import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { freePort } from '../support/free-port.js'
import { DEVICE_KEY, OPERATOR_KEY, startTestServer } from '../support/test-server.js'
import { WireClient } from '../support/wire-client.js'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** A script in a bare process: under a test runner, the runner itself keeps the process alive. */
class Script {
  readonly ended: Promise<{ code: number | null; output: string }>
  #output = ''
  #changed = Promise.withResolvers<void>()
  #over = false

  constructor(text: string) {
    const child = spawn(process.execPath, ['--input-type=module', '--eval', text], {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        this.#output += chunk.toString()
        this.#changed.resolve()
        this.#changed = Promise.withResolvers()
      })
    }
    this.ended = once(child, 'close').then(([code]) => {
      this.#over = true
      this.#changed.resolve()
      return { code: code as number | null, output: this.#output }
    })
  }

  async said(word: string): Promise<void> {
    while (!this.#output.includes(word)) {
      if (this.#over) throw new Error(`ended without '${word}': ${this.#output}`)
      await Promise.race([this.#changed.promise, this.ended])
    }
  }
}

const client = (port: string, more = ''): string => `
  import { ConstellationClient } from '@orrery/constellation'
  const client = new ConstellationClient({
    name: 'script', devices: [{ deviceId: 'd', server: 'ws://127.0.0.1:${port}/ws', apiKey: '${OPERATOR_KEY}' }],
    reconnectDelayMs: 300, maxRetries: 1000, onDeviceState: ({ status, reason }) => console.log(status, reason), ${more}
  })`

const startServerAt = (port: string): ReturnType<typeof startTestServer> => startTestServer({ port: Number(port) })
const registerDevice = (url: string): Promise<WireClient> => WireClient.register(url, DEVICE_KEY, { client_id: 'd' })

describe('a script that awaits something stays alive', () => {
  it('connects to a server that starts later', async () => {
    const port = await freePort()
    const script = new Script(`${client(port)}
      await client.connect('d')
      console.log('connected at last')
      await client.close()`)
    await script.said('ECONNREFUSED')
    await using server = await startServerAt(port)
    await registerDevice(server.url)
    expect(await script.ended).toMatchObject({ code: 0, output: expect.stringContaining('connected at last') as string })
  })

  it('awaits the result of a task across a restart of a server without a log', async () => {
    const port = await freePort()
    const first = await startServerAt(port)
    const device = await registerDevice(first.url)
    const script = new Script(`${client(port)}
      await client.connect('d')
      const run = client.runTask('d', 'workflow:none')
      const waiting = client.runTask('d', 'anything')
      await run.result.catch((error) => console.log('first', error.code))
      console.log('second', await waiting.result.catch((error) => error.code))
      await client.close()
      console.log('finished')`)
    await script.said('first')
    device.terminate()
    await first.server.stop()
    await using _second = await startServerAt(port)
    expect(await script.ended).toMatchObject({ code: 0, output: expect.stringContaining('finished') as string })
  })

  it('runs the `finally` of an async main when the server never comes', async () => {
    const script = new Script(`${client(await freePort(), 'maxRetries: 2,')}
      async function main() { try { await client.connect('d') } finally { console.log('cleaned up') } }
      await main().catch((error) => console.log(error.code))`)
    expect(await script.ended).toMatchObject({ code: 0, output: expect.stringMatching(/cleaned up\nNOT_CONNECTED/) as string })
  })

  it.each([
    ['device.done', ''],
    [
      'client.connectAndListen()',
      'const client = new UFOWebSocketClient({ wsUrl, ufoClient: device.client.ufoClient, maxRetries: 2 })',
    ],
  ])('awaits %s between attempts [S-260]', async (awaited, more) => {
    const script = new Script(`
      import { UFOWebSocketClient, startDevice } from '@orrery/device'
      const wsUrl = 'ws://127.0.0.1:${await freePort()}/ws'
      const device = startDevice({ serverUrl: wsUrl, clientId: 'd', maxRetries: ${more === '' ? 2 : 1} })
      ${more}
      console.log('ended', await ${awaited})`)
    expect(await script.ended).toMatchObject({ code: 0, output: expect.stringContaining('ended retries_spent') as string })
  })

  it('waits between two attempts of its own', async () => {
    const script = new Script(`
      import { sleep, systemClock, withTimeLimit } from '@orrery/aip'
      await sleep(systemClock, 100)
      await withTimeLimit(new Promise(() => {}), { clock: systemClock, ms: 100, operation: 'The wait' }).catch((error) => console.log(error.code))`)
    expect(await script.ended).toEqual({ code: 0, output: 'TIMEOUT\n' })
  })

  it('follows the events of the fleet while its server restarts', async () => {
    const port = await freePort()
    const first = await startServerAt(port)
    const script = new Script(`
      import { OrreryApi } from '@orrery/constellation'
      const api = new OrreryApi({ server: 'http://127.0.0.1:${port}', apiKey: '${OPERATOR_KEY}' })
      const { position } = await api.call('devices.list', {})
      console.log('started')
      for await (const event of api.events.follow({ since: position })) {
        console.log(event.type)
        if (event.type === 'reset') break
      }`)
    // The device may come before the stream begins: its position is older.
    await script.said('started')
    const device = await registerDevice(first.url)
    await script.said('presence')
    device.terminate()
    await first.server.stop()
    await using _second = await startServerAt(port)
    expect(await script.ended).toMatchObject({ code: 0, output: expect.stringContaining('reset') as string })
  })
})
