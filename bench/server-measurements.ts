import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ServerProcess } from './child.ts'
import { answerCommands, closeAll, connectDevice, connectDevices, heartbeatRate, registrationRate } from './load.ts'
import { row, type Row } from './row.ts'
import { median, percentile } from './statistics.ts'

/** How much is measured. */
export interface Extent {
  rounds: number
  /** Milliseconds of one measurement of a rate. */
  ms: number
  idleConnections: number
  commandsPerDevice: number
}

/** Measures a rate of both servers in turn, several rounds; gives the medians. */
async function compare(
  extent: Extent,
  measure: (server: ServerProcess) => Promise<number>,
  servers: { orrery: ServerProcess; baseline: ServerProcess },
): Promise<{ orrery: number; baseline: number }> {
  const figures = { orrery: [] as number[], baseline: [] as number[] }
  for (let round = 0; round < extent.rounds; round += 1) {
    figures.baseline.push(await measure(servers.baseline))
    figures.orrery.push(await measure(servers.orrery))
  }
  return { orrery: median(figures.orrery), baseline: median(figures.baseline) }
}

/** Heartbeats, registrations and the memory of idle connections. */
export async function connectionRows(extent: Extent): Promise<Row[]> {
  const servers = {
    orrery: await ServerProcess.start('orrery-server.ts'),
    baseline: await ServerProcess.start('baseline-server.ts'),
  }
  const rows: Row[] = []
  try {
    for (const connections of [1, 100]) {
      const rate = await compare(
        extent,
        async ({ url }) => {
          const sockets = await connectDevices(url, connections)
          const figure = await heartbeatRate(sockets.values(), extent.ms)
          await closeAll(sockets.values())
          return figure
        },
        servers,
      )
      const ratio = rate.orrery / rate.baseline
      const aim = connections === 1 ? undefined : { text: 'at least 0.8 of the baseline', holds: ratio >= 0.8 }
      rows.push(
        row(`heartbeats, ${connections} connection${connections === 1 ? '' : 's'}`, '/s', rate.orrery, rate.baseline, aim),
      )
    }
    const registrations = await compare(extent, ({ url }) => registrationRate(url, extent.ms), servers)
    rows.push(row('register and close', '/s', registrations.orrery, registrations.baseline))
  } finally {
    await Promise.all([servers.orrery.stop(), servers.baseline.stop()])
  }
  const figures = { orrery: [] as number[], baseline: [] as number[] }
  for (let round = 0; round < extent.rounds; round += 1) {
    figures.baseline.push(await idleMemory('baseline-server.ts', extent))
    figures.orrery.push(await idleMemory('orrery-server.ts', extent))
  }
  const memory = { orrery: median(figures.orrery), baseline: median(figures.baseline) }
  const holds = memory.orrery <= 1.5 * memory.baseline
  const aim = { text: 'at most 1.5 times the baseline', holds }
  return [...rows, row(`memory of an idle connection, at ${extent.idleConnections}`, 'KiB', memory.orrery, memory.baseline, aim)]
}

/** KiB for each connection, in a process that does nothing else. */
async function idleMemory(script: string, { idleConnections }: Extent): Promise<number> {
  const server = await ServerProcess.start(script)
  try {
    // The first connections pay for what all share.
    const warm = await connectDevices(server.url, 100)
    const before = await server.memory()
    const sockets: Awaited<ReturnType<typeof connectDevice>>[] = []
    for (let index = 0; index < idleConnections; index += 1) sockets.push(await connectDevice(server.url, `idle-${index}`))
    const after = await server.memory()
    await closeAll([...warm.values(), ...sockets])
    return (after - before) / idleConnections / 1024
  } finally {
    await server.stop()
  }
}

/** Command round trips, with and without the event log. */
export async function commandRows(extent: Extent): Promise<Row[]> {
  const rows: Row[] = []
  for (const devices of [1, 64]) {
    const count = devices === 1 ? extent.commandsPerDevice * 8 : extent.commandsPerDevice
    const baseline = await roundTrips('baseline-server.ts', {}, devices, count, extent.rounds)
    for (const log of ['off', 'on', 'on, full durability'] as const) {
      const folder = mkdtempSync(join(tmpdir(), 'orrery-bench-'))
      const settings = log === 'off' ? {} : { BENCH_DATA_DIR: folder, BENCH_DURABILITY: log === 'on' ? 'normal' : 'full' }
      const { rate, p50, p99 } = await roundTrips('orrery-server.ts', settings, devices, count, extent.rounds)
      rmSync(folder, { recursive: true })
      const name = `command round trips, ${devices} device${devices === 1 ? '' : 's'}, event log ${log}`
      const main = devices === 64 && log === 'on'
      const holds = rate >= 3000 && rate >= 0.4 * baseline.rate
      rows.push(
        row(name, '/s', rate, baseline.rate, main ? { text: 'at least 3,000/s and 0.4 of the baseline', holds } : undefined),
        row('… p50', 'ms', p50, baseline.p50),
        row('… p99', 'ms', p99, baseline.p99, main ? { text: 'under 50 ms', holds: p99 < 50 } : undefined),
      )
    }
  }
  return rows
}

async function roundTrips(
  script: string,
  settings: Record<string, string>,
  devices: number,
  count: number,
  rounds: number,
): Promise<{ rate: number; p50: number; p99: number }> {
  const server = await ServerProcess.start(script, settings)
  try {
    const sockets = await connectDevices(server.url, devices)
    for (const socket of sockets.values()) answerCommands(socket)
    const ids = [...sockets.keys()]
    await server.commands(ids, Math.ceil(count / 4))
    const figures: { rate: number; p50: number; p99: number }[] = []
    for (let round = 0; round < rounds; round += 1) {
      const { each, all } = await server.commands(ids, count)
      figures.push({ rate: (each.length / all) * 1000, p50: percentile(each, 0.5), p99: percentile(each, 0.99) })
    }
    await closeAll(sockets.values())
    return {
      rate: median(figures.map((figure) => figure.rate)),
      p50: median(figures.map((figure) => figure.p50)),
      p99: median(figures.map((figure) => figure.p99)),
    }
  } finally {
    await server.stop()
  }
}

/** A result of 10 MB, from the request over HTTP to its answer, recorded on the way. */
export async function largeResultRow(extent: Extent): Promise<Row> {
  const folder = mkdtempSync(join(tmpdir(), 'orrery-bench-'))
  const server = await ServerProcess.start('orrery-server.ts', { BENCH_DATA_DIR: folder })
  try {
    const socket = await connectDevice(server.url, 'large')
    answerCommands(socket, 'x'.repeat(10_000_000))
    const times: number[] = []
    for (let round = 0; round < extent.rounds + 1; round += 1) {
      const begun = performance.now()
      const response = await fetch(`${server.url}/api/devices/large/commands`, {
        method: 'POST',
        headers: { 'x-api-key': 'operator', 'content-type': 'application/json' },
        body: JSON.stringify({ commands: [{ tool_name: 'big' }] }),
      })
      await response.arrayBuffer()
      times.push(performance.now() - begun)
    }
    await closeAll([socket])
    const ms = median(times.slice(1))
    return row('a result of 10 MB', 'ms', ms, null, { text: 'under 250 ms', holds: ms < 250 })
  } finally {
    await server.stop()
    rmSync(folder, { recursive: true })
  }
}
