import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../../packages/cli/bin/orrery.js', import.meta.url))
const POINTS = new URL('named-points.ts', import.meta.url).href

/** What runs now: it must not outlive the harness. */
const live = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of live) child.kill('SIGKILL')
})

/** The command line as a process of its own that can be killed, also at a named point. */
export class Program {
  /** Settles when the process has ended. */
  readonly ended: Promise<void>
  readonly #child: ChildProcess

  /** @param options.point file that says where it is struck, see named-points.ts @param options.output file for what it prints */
  constructor(args: readonly string[], options: { home: string; key: string; point: string; output: string }) {
    const output = openSync(options.output, 'a')
    this.#child = spawn(process.execPath, ['--import', POINTS, MAIN, ...args], {
      env: {
        PATH: process.env['PATH'],
        HOME: options.home,
        ORRERY_HOME: options.home,
        ORRERY_API_KEY: options.key,
        ORRERY_FAULT_POINT: options.point,
        NO_COLOR: '1',
        NODE_NO_WARNINGS: '1',
      },
      cwd: options.home,
      stdio: ['ignore', output, output],
    })
    closeSync(output)
    live.add(this.#child)
    this.ended = new Promise((resolve) => {
      this.#child.once('exit', () => {
        live.delete(this.#child)
        resolve()
      })
    })
  }

  get alive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** Whether a SIGSTOP has taken effect. */
  get isStopped(): boolean {
    try {
      return /^\d+ \(.*\) T/s.test(readFileSync(`/proc/${this.#child.pid}/stat`, 'utf8'))
    } catch {
      return false
    }
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT' | 'SIGTERM' | 'SIGKILL'): void {
    this.#child.kill(signal)
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.ended
  }
}
