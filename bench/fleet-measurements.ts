import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { WebSocket } from 'ws'
import { SqliteSessionStore } from '../packages/server/dist/store/sqlite-session-store.js'
import { ServerProcess } from './child.ts'
import { connectDevice, heartbeatOnce, inLanes, returnDevice } from './load.ts'
import { row, type Row } from './row.ts'
import { median } from './statistics.ts'

/** How many devices and sessions there are. */
export interface FleetExtent {
  devices: number
  sessions: number
  rounds: number
}

/** As many devices dial at the same time: a server takes 200 that have not registered yet. */
const AT_ONCE = 100
const HEADERS = { 'x-api-key': 'operator', 'content-type': 'application/json' }

/** What a large fleet costs: devices that all return at once, lists of many sessions, the tools of a busy device. */
export async function fleetRows({ devices, sessions, rounds }: FleetExtent): Promise<Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'orrery-bench-'))
  try {
    const baseline = await returnAll('baseline-server.ts', {}, devices)
    const orrery = await returnAll('orrery-server.ts', { BENCH_DATA_DIR: join(folder, 'back') }, devices)
    const ratio = orrery.rate / baseline.rate
    const steady = orrery.last / orrery.first
    const many = devices.toLocaleString('en-US')
    const list = await listTime(join(folder, 'many'), sessions, rounds)
    const tools = await toolsTime(rounds)
    return [
      row(`${many} devices with tokens return at once: registrations`, '/s', orrery.rate, baseline.rate, {
        text: 'at least 0.7 of the baseline',
        holds: ratio >= 0.7,
      }),
      row('… the last tenth', '/s', orrery.last, baseline.last, {
        text: `at least 0.8 of the first tenth (${Math.round(orrery.first)}/s)`,
        holds: steady >= 0.8,
      }),
      row('… longest wait of another device for its heartbeat', 'ms', orrery.longestWait, baseline.longestWait, {
        text: 'under 200 ms',
        holds: orrery.longestWait < 200,
      }),
      row(`list of 500 of ${sessions.toLocaleString('en-US')} sessions`, 'ms', list, null, {
        text: 'under 20 ms',
        holds: list < 20,
      }),
      row('tools of a device while a session runs there', 'ms', tools, null, { text: 'under 20 ms', holds: tools < 20 }),
    ]
  } finally {
    rmSync(folder, { recursive: true })
  }
}

interface Returned {
  /** Registrations a second: of all, of the first tenth and of the last. */
  rate: number
  first: number
  last: number
  /** Milliseconds. */
  longestWait: number
}

/** Registers devices, kills the server, starts it again and has all of them return, while another one sends heartbeats. */
async function returnAll(script: string, settings: Record<string, string>, count: number): Promise<Returned> {
  const tokens: (string | null)[] = []
  const before = await ServerProcess.start(script, settings)
  await inLanes(count, AT_ONCE, async (at) => {
    const { socket, token } = await returnDevice(before.url, `device-${at}`, null)
    tokens[at] = token
    socket.terminate()
  })
  await before.stop()
  const server = await ServerProcess.start(script, settings)
  const other = await connectDevice(server.url, 'other')
  const sockets: WebSocket[] = []
  try {
    let longestWait = 0
    const returned = new AbortController()
    const watch = (async () => {
      while (!returned.signal.aborted) longestWait = Math.max(longestWait, await heartbeatOnce(other))
    })()
    const times: number[] = []
    const begun = performance.now()
    await inLanes(count, AT_ONCE, async (at) => {
      sockets.push((await returnDevice(server.url, `device-${at}`, tokens[at] ?? null)).socket)
      times.push(performance.now() - begun)
    })
    returned.abort()
    await watch
    const tenth = Math.floor(count / 10)
    const rateOf = (from: number, to: number): number => ((to - from) / ((times[to - 1] ?? 0) - (times[from - 1] ?? 0))) * 1000
    return { rate: rateOf(0, count), first: rateOf(0, tenth), last: rateOf(count - tenth, count), longestWait }
  } finally {
    for (const socket of [other, ...sockets]) socket.terminate()
    await server.stop()
  }
}

/** Milliseconds for a list of 500 sessions, from the request to its whole answer. */
async function listTime(folder: string, count: number, rounds: number): Promise<number> {
  const store = new SqliteSessionStore(join(folder, 'events.db'))
  const lane = await store.takeLane('device')
  const owner = { kind: 'operator', client_id: null, resumes: false } as const
  for (let at = 0; at < count; at += 1) {
    const request = `count the files of folder ${at}`
    const ids = { session_id: `s-${at}`, device_id: 'device', task_name: `t-${at}`, request_id: null }
    const work = { kind: 'words', request } as const
    const data = { status: 'completed', result: { files: at }, error: null, agent: 'model' } as const
    void store.append(lane, `r-${at}`, 'accepted', { ...ids, request, owner, assigned: false, work })
    const ended = store.append(lane, `r-${at}`, 'ended', data)
    if (at % 500 === 0 || at === count - 1) await ended
  }
  await store.close()
  const server = await ServerProcess.start('orrery-server.ts', { BENCH_DATA_DIR: folder })
  try {
    return await requestTime(`${server.url}/api/sessions?limit=500`, rounds)
  } finally {
    await server.stop()
  }
}

/** Milliseconds for the tool list of a device that a session keeps busy. */
async function toolsTime(rounds: number): Promise<number> {
  const server = await ServerProcess.start('orrery-server.ts')
  try {
    const { socket } = await returnDevice(server.url, 'busy', null)
    const tool = (at: number) => ({ tool_key: `action::t${at}`, tool_name: `t${at}`, namespace: 'Bench', tool_type: 'action' })
    const tools = Array.from({ length: 300 }, (_, at) => tool(at))
    socket.send(JSON.stringify({ type: 'device_info_response', metadata: { tools } }))
    await heartbeatOnce(socket)
    const body = JSON.stringify({ device_id: 'busy', request: '1' })
    await fetch(`${server.url}/api/sessions`, { method: 'POST', headers: HEADERS, body })
    const ms = await requestTime(`${server.url}/api/devices/busy/tools`, rounds)
    socket.terminate()
    return ms
  } finally {
    await server.stop()
  }
}

async function requestTime(url: string, rounds: number): Promise<number> {
  const times: number[] = []
  for (let round = 0; round < rounds * 4 + 1; round += 1) {
    const begun = performance.now()
    const response = await fetch(url, { headers: HEADERS })
    if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`)
    await response.arrayBuffer()
    times.push(performance.now() - begun)
  }
  return median(times.slice(1))
}
