import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { row, type Row } from './row.ts'
import { median } from './statistics.ts'

const MAIN = fileURLToPath(new URL('../packages/cli/bin/orrery.js', import.meta.url))

/** From the start of the process to its being of use, and the memory that it then has. */
export async function startRows(rounds: number): Promise<Row[]> {
  const figures = { server: [] as number[], device: [] as number[], serverMemory: [] as number[], deviceMemory: [] as number[] }
  for (let round = 0; round < rounds; round += 1) {
    const home = mkdtempSync(join(tmpdir(), 'orrery-bench-'))
    const server = await startUntil(home, /ready/, 'server', '--port', '0')
    const device = await startUntil(home, /is connected/, 'device', '--client-id', 'bench')
    figures.server.push(server.ms)
    figures.device.push(device.ms)
    figures.serverMemory.push(residentMiB(server.child))
    figures.deviceMemory.push(residentMiB(device.child))
    for (const { child } of [device, server]) {
      const ended = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGTERM')
      await ended
    }
    rmSync(home, { recursive: true })
  }
  const [server, device] = [median(figures.server), median(figures.device)]
  return [
    row('server: start to accepting', 'ms', server, null, { text: 'under 500 ms', holds: server < 500 }),
    row('device: start to registered', 'ms', device, null, { text: 'under 1,000 ms', holds: device < 1000 }),
    row('server: memory after the start', 'MiB', median(figures.serverMemory)),
    row('device: memory after the start', 'MiB', median(figures.deviceMemory)),
  ]
}

function startUntil(home: string, said: RegExp, ...args: string[]): Promise<{ child: ChildProcess; ms: number }> {
  const begun = performance.now()
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { PATH: process.env['PATH'], HOME: home, ORRERY_HOME: home },
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  return new Promise((resolve, reject) => {
    let text = ''
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString()
      if (said.test(text)) resolve({ child, ms: performance.now() - begun })
    })
    child.once('exit', () => reject(new Error(`orrery ${args.join(' ')} ended:\n${text}`)))
  })
}

function residentMiB({ pid }: ChildProcess): number {
  if (process.platform !== 'linux') return Number.NaN
  const [, kib = '0'] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(kib) / 1024
}
