import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Findings } from './findings.ts'

type Report = { url: string } | { memory: number } | { unhandled: string }

/** The server under attack. */
export class ServerProcess {
  readonly url: string
  readonly #child: ChildProcess
  readonly #findings: Findings
  #ended = false

  private constructor(child: ChildProcess, url: string, findings: Findings) {
    this.#child = child
    this.#findings = findings
    this.url = url
    child.on('message', (report: Report) => {
      if ('unhandled' in report) findings.add('server', `unhandled: ${report.unhandled}`)
    })
    child.once('exit', (code, signal) => {
      if (!this.#ended) findings.add('server', `the process ended with ${code ?? signal}`)
      this.#ended = true
    })
  }

  static async start(findings: Findings, env: Record<string, string>): Promise<ServerProcess> {
    const child = fork(fileURLToPath(new URL('fuzzed-server.ts', import.meta.url)), {
      env: { ...process.env, ...env },
      execArgv: ['--expose-gc', '--disable-warning=ExperimentalWarning'],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    const [report] = (await once(child, 'message')) as [Report]
    if (!('url' in report)) throw new Error('the server did not start')
    return new ServerProcess(child, report.url, findings)
  }

  /** Heap and external memory after a collection, in bytes; null if the process has ended. */
  async memory(): Promise<number | null> {
    if (this.#ended) return null
    this.#child.send('memory')
    for (;;) {
      const [report] = (await once(this.#child, 'message')) as [Report]
      if ('memory' in report) return report.memory
    }
  }

  async stop(): Promise<void> {
    if (this.#ended) return
    this.#ended = true
    const exit = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await exit
  }

  get ended(): boolean {
    return this.#ended
  }

  /** Asks the server whether it is alive. Notes it if no answer comes. */
  async checkAlive(kind: string): Promise<void> {
    try {
      const response = await fetch(`${this.url}/healthz`, { signal: AbortSignal.timeout(20_000) })
      await response.arrayBuffer()
      if (response.status !== 200) this.#findings.add(kind, `/healthz answered ${response.status}`)
    } catch (error) {
      this.#findings.add(kind, `/healthz: ${String(error)}`)
    }
  }
}
