import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** What a probe has measured: the 99.9th percentile of answers of `/healthz` and of its own timers' delays, in milliseconds. */
export interface Probed {
  healthz: number
  idle: number
  asked: number
}

/** A process that asks a server all the time whether it is alive. */
export class Probe {
  readonly #child: ChildProcess

  constructor(url: string) {
    this.#child = fork(fileURLToPath(new URL('prober.ts', import.meta.url)), [url], {
      execArgv: ['--disable-warning=ExperimentalWarning'],
    })
  }

  /** Ends it. */
  async end(): Promise<Probed> {
    const report = once(this.#child, 'message') as Promise<[Probed]>
    this.#child.send('end')
    return (await report)[0]
  }
}
