import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { LIMITS } from '@orrery/aip'
import { WebSocketServer, type WebSocket } from 'ws'
import { row, type Row } from './row.ts'

const MAIN = fileURLToPath(new URL('../packages/cli/bin/orrery.js', import.meta.url))
const PER_BATCH = 1000
const LARGE_ONES = 10
/** Room for the rest of a message, in bytes. */
const ENVELOPE = 1024

/** A device as a process of its own that gets many commands at once, and then large ones: how long a heartbeat waits, and how much memory it takes. @param batches of 1,000 commands each */
export async function pressureRows(batches: number): Promise<Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'orrery-bench-'))
  // Beside the folder of the device itself, which is closed to tools.
  const [home, work] = [join(folder, 'home'), join(folder, 'work')]
  for (const each of [home, work]) mkdirSync(each)
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false })
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  writeFileSync(join(home, 'device.jsonc'), JSON.stringify({ policy: [{ do: 'allow' }] }))
  const device = spawn(process.execPath, [MAIN, 'device', '--ws-server', `ws://127.0.0.1:${port}/ws`], {
    env: { PATH: process.env['PATH'], ORRERY_HOME: home },
    cwd: work,
    stdio: 'ignore',
  })
  try {
    const [socket] = (await once(server, 'connection')) as [WebSocket]
    const run = await rigOf(socket)
    const many = Array.from({ length: batches }, () => run(PER_BATCH, { path: '.' }))
    const name = `${(batches * PER_BATCH).toLocaleString('en-US')} commands at once on a device`
    const manyRows = rowsOf(name, await longestWait(socket, Promise.all(many)), peakMemory(device.pid ?? 0))
    const large = async (): Promise<void> => {
      for (let count = 0; count < LARGE_ONES; count += 1)
        await run(1, { path: '.', unused: 'x'.repeat(LIMITS.deviceFrame - ENVELOPE) })
    }
    const largeName = `Then ${LARGE_ONES} commands with ${LIMITS.deviceFrame / 2 ** 20} MiB of arguments`
    return [...manyRows, ...rowsOf(largeName, await longestWait(socket, large()), peakMemory(device.pid ?? 0))]
  } finally {
    const ended = once(device, 'exit')
    device.kill('SIGTERM')
    await ended
    for (const client of server.clients) client.terminate()
    server.close()
    rmSync(folder, { recursive: true })
  }
}

function rowsOf(name: string, longest: number, memory: number | null): Row[] {
  return [
    row(`${name}: longest wait for a heartbeat`, 'ms', longest, null, { text: 'under 1,000 ms', holds: longest < 1000 }),
    ...(memory === null
      ? []
      : [row(`${name}: most memory`, 'MiB', memory, null, { text: 'under 300 MB', holds: memory * 2 ** 20 < 300e6 })]),
  ]
}

interface Message {
  type: string
  prev_response_id: string
  action_results?: { status: string; error: string | null }[]
}

/** The server's end of the connection: registers the device, and runs batches on it. @returns what runs a batch of this tool */
async function rigOf(socket: WebSocket): Promise<(count: number, parameters: object) => Promise<void>> {
  const aip = { version: 1, features: ['journal', 'resume'], resume_token: 'token' }
  const { promise: registered, resolve: onRegistered } = Promise.withResolvers<void>()
  const waiting = new Map<string, () => void>()
  socket.on('message', (data: Buffer) => {
    const message = JSON.parse(data.toString()) as Message
    if (message.type === 'register') {
      socket.send(JSON.stringify({ type: 'heartbeat', status: 'ok', result: { aip } }))
      onRegistered()
    } else if (message.type === 'command_results') {
      socket.send(JSON.stringify({ type: 'results_ack', status: 'ok', response_id: message.prev_response_id }))
      const failed = message.action_results?.find(({ status }) => status !== 'success')
      if (failed !== undefined) throw new Error(`A command under pressure failed: ${failed.error}`)
      waiting.get(message.prev_response_id)?.()
    }
  })
  await registered
  return (count, parameters) => {
    const { promise: done, resolve: onDone } = Promise.withResolvers<void>()
    const id = crypto.randomUUID()
    waiting.set(id, onDone)
    const one = { tool_name: 'stat_file', tool_type: 'action', parameters }
    const actions = Array.from({ length: count }, (_, index) => ({ ...one, call_id: `${id}-${index}` }))
    socket.send(JSON.stringify({ type: 'command', status: 'continue', session_id: 's', response_id: id, actions }))
    return done
  }
}

/** Pings until the work is done. @returns milliseconds */
async function longestWait(socket: WebSocket, work: Promise<unknown>): Promise<number> {
  let longest = 0
  const over = work.then(() => true)
  for (;;) {
    const sent = performance.now()
    const pong = once(socket, 'pong').then(() => false)
    socket.ping()
    await pong
    longest = Math.max(longest, performance.now() - sent)
    const pause = new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 10))
    if (await Promise.race([over, pause])) return longest
  }
}

/** The most memory that a process ever had, in MiB; null where the system does not tell. */
function peakMemory(pid: number): number | null {
  try {
    return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
  } catch {
    return null
  }
}
