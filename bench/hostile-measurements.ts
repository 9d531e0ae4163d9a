import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { ServerProcess } from './child.ts'
import { closeAll, connectDevices, heartbeatOnce } from './load.ts'
import { row, type Row } from './row.ts'
import { percentile } from './statistics.ts'

/** How many others are measured, and the pause of each between two heartbeats, in milliseconds. */
const OTHERS = 10
const PAUSE = 20

const ATTACKS = {
  flood: 'one client sends 50,000 heartbeats a second',
  unread: 'one client does not read',
  huge: 'one client sends 100 MiB, again and again',
} as const

/** How long other clients wait for the answer to a heartbeat while one client is hostile, and while none is. @param ms of each measurement */
export async function hostileRows(ms: number): Promise<Row[]> {
  const rows = [row('no client is hostile: others wait, 99th percentile', 'ms', await othersWait(null, ms))]
  for (const [how, name] of Object.entries(ATTACKS)) {
    const wait = await othersWait(how, ms)
    rows.push(row(`${name}: others wait, 99th percentile`, 'ms', wait, null, { text: 'under 50 ms', holds: wait < 50 }))
  }
  return rows
}

async function othersWait(how: string | null, ms: number): Promise<number> {
  const server = await ServerProcess.start('orrery-server.ts', { BENCH_LIMITED: '1' })
  const hostile = how === null ? null : await hostileClient(server.url, how)
  try {
    const sockets = [...(await connectDevices(server.url, OTHERS)).values()]
    const times: number[] = []
    const until = performance.now() + ms
    await Promise.all(
      sockets.map(async (socket) => {
        while (performance.now() < until) {
          times.push(await heartbeatOnce(socket))
          await new Promise((resolve) => setTimeout(resolve, PAUSE))
        }
      }),
    )
    await closeAll(sockets)
    return percentile(times, 0.99)
  } finally {
    hostile?.kill('SIGKILL')
    await server.stop()
  }
}

async function hostileClient(url: string, how: string): Promise<ChildProcess> {
  const child = fork(fileURLToPath(new URL('hostile-client.ts', import.meta.url)), [url, how], {
    execArgv: ['--disable-warning=ExperimentalWarning'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  await once(child, 'message')
  return child
}
