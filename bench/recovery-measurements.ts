import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { resumeWait } from '@orrery/aip'
import { OrreryApi } from '@orrery/constellation'
import { WebSocket } from 'ws'
import { ServerProcess } from './child.ts'
import { inLanes } from './load.ts'
import { row, type Row } from './row.ts'
import { percentile } from './statistics.ts'

/** How many sessions and devices there are. */
export interface RecoveryExtent {
  ended: number
  open: number
  devices: number
}

/** How long a killed server needs to serve again, and its devices to continue. */
export async function recoveryRows({ ended, open, devices }: RecoveryExtent): Promise<Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'orrery-bench-'))
  try {
    const start = await startWith(folder, ended, open)
    const { registered, continued } = await reconnect(folder, devices)
    const many = devices.toLocaleString('en-US')
    const sessions = `${ended.toLocaleString('en-US')} ended and ${open} open sessions`
    return [
      row(`server: killed, start to accepting with ${sessions}`, 'ms', start, null, {
        text: 'under 2,000 ms',
        holds: start < 2000,
      }),
      row(`${many} devices at once: killed server accepts again to all registered`, 'ms', registered, null, {
        text: 'under 10,000 ms',
        holds: registered < 10_000,
      }),
      row('… to all their sessions ended, none run twice', 'ms', continued),
    ]
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Makes the sessions, kills the server and starts it again. @returns milliseconds from the start of the process */
async function startWith(folder: string, ended: number, open: number): Promise<number> {
  const settings = { BENCH_DATA_DIR: join(folder, 'many') }
  const server = await ServerProcess.start('orrery-server.ts', settings)
  const devices = await Promise.all(Array.from({ length: 50 }, (_, at) => WaitingDevice.register(server.url, `device-${at}`)))
  const api = new OrreryApi({ server: server.url, apiKey: 'operator', timeoutMs: 120_000 })
  const idOf = (at: number): string => `device-${at % devices.length}`
  // A task of no commands ends at once; one of a command that is never answered stays open, and others wait behind it.
  await inLanes(ended, 32, async (at) => void (await api.sessions.create({ device_id: idOf(at), request: '0' })))
  await inLanes(open, 32, async (at) => void (await api.sessions.create({ device_id: idOf(at), request: '1' })))
  await server.stop()
  for (const device of devices) device.close()
  const begun = performance.now()
  const again = await ServerProcess.start('orrery-server.ts', settings)
  const ms = performance.now() - begun
  await again.stop()
  return ms
}

/** Kills a server whose devices all run a command. @returns milliseconds from its being back until they are, and their sessions have ended */
async function reconnect(folder: string, count: number): Promise<{ registered: number; continued: number }> {
  const settings = { BENCH_DATA_DIR: join(folder, 'back') }
  const server = await ServerProcess.start('orrery-server.ts', settings)
  const devices: WaitingDevice[] = []
  await inLanes(count, 50, async (at) => void devices.push(await WaitingDevice.register(server.url, `device-${at}`)))
  const api = new OrreryApi({ server: server.url, apiKey: 'operator', timeoutMs: 120_000 })
  await inLanes(count, 32, async (at) => void (await api.sessions.create({ device_id: `device-${at}`, request: '1' })))
  await Promise.all(devices.map((device) => device.asked))
  await server.stop()
  const again = await ServerProcess.start('orrery-server.ts', settings)
  const begun = performance.now()
  const times = await Promise.all(
    devices.map(async (device) => {
      await device.comeBack(again.url)
      const registered = performance.now() - begun
      await device.ended
      return { registered, continued: performance.now() - begun }
    }),
  )
  const sent = devices.reduce((sum, device) => sum + device.batches.size, 0)
  if (sent !== count) throw new Error(`${sent} batches for ${count} sessions`)
  for (const device of devices) device.close()
  await again.stop()
  return {
    registered: percentile(
      times.map((time) => time.registered),
      1,
    ),
    continued: percentile(
      times.map((time) => time.continued),
      1,
    ),
  }
}

/** A device that can resume. It answers a command only after it has come back. */
class WaitingDevice {
  readonly id: string
  /** Ids of the batches that it was sent. */
  readonly batches = new Set<string>()
  readonly #asked = Promise.withResolvers<void>()
  readonly #ended = Promise.withResolvers<void>()
  #socket: WebSocket | null = null
  #token: string | null = null
  #answers = false

  private constructor(id: string) {
    this.id = id
  }

  /** Settles with the first command. */
  get asked(): Promise<void> {
    return this.#asked.promise
  }

  /** Settles with the end of the session. */
  get ended(): Promise<void> {
    return this.#ended.promise
  }

  static async register(url: string, id: string): Promise<WaitingDevice> {
    const device = new WaitingDevice(id)
    await device.#connect(url)
    return device
  }

  /** Registers with its token, trying again as devices do. */
  async comeBack(url: string): Promise<void> {
    this.#answers = true
    for (;;) {
      try {
        return await this.#connect(url)
      } catch {
        await new Promise((resolve) => setTimeout(resolve, resumeWait()))
      }
    }
  }

  close(): void {
    this.#socket?.terminate()
  }

  #connect(url: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(`${url.replace('http', 'ws')}/ws?token=device`, { perMessageDeflate: false })
      this.#socket = socket
      socket.on('error', reject)
      socket.on('close', () => reject(new Error('closed')))
      socket.on('open', () => {
        const aip = { version: 1, features: ['journal', 'resume'], resume_token: this.#token }
        const metadata = { platform: 'linux', system_info: { platform: 'linux' }, aip }
        socket.send(JSON.stringify({ type: 'register', status: 'ok', client_type: 'device', client_id: this.id, metadata }))
      })
      socket.on('message', (data: Buffer) => {
        const message = JSON.parse(data.toString()) as Message
        if (message.type === 'heartbeat' && message.result?.aip !== undefined) {
          this.#token = message.result.aip.resume_token
          resolve()
        } else if (message.type === 'command') this.#command(message, socket)
        else if (message.type === 'task_end') this.#ended.resolve()
      })
    })
  }

  #command({ response_id, session_id, actions }: Message, socket: WebSocket): void {
    this.batches.add(response_id)
    this.#asked.resolve()
    if (!this.#answers) return
    const results = actions.map(({ call_id }) => ({ status: 'success', error: null, result: 'ok', namespace: 'Bench', call_id }))
    socket.send(
      JSON.stringify({
        type: 'command_results',
        status: 'continue',
        client_type: 'device',
        session_id,
        action_results: results,
        prev_response_id: response_id,
      }),
    )
  }
}

interface Message {
  type: string
  session_id: string
  response_id: string
  actions: { call_id: string }[]
  result?: { aip?: { resume_token: string } } | null
}
