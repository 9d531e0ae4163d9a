import { fork, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** What a server process is asked. */
export type Question =
  | { ask: 'memory' }
  /** Runs `count` one-command batches on each connected device, one after the other; gives the time of each, and of all. */
  | { ask: 'commands'; devices: string[]; count: number }

/** Times in milliseconds. */
export interface CommandTimes {
  each: number[]
  all: number
}

/** A server in a process of its own. */
export class ServerProcess {
  readonly url: string
  readonly #child: ChildProcess

  private constructor(child: ChildProcess, url: string) {
    this.#child = child
    this.url = url
  }

  /** @param script a file of this folder @param env settings of the script */
  static async start(script: string, env: Record<string, string> = {}): Promise<ServerProcess> {
    const child = fork(fileURLToPath(new URL(script, import.meta.url)), {
      env: { ...process.env, ...env },
      execArgv: ['--expose-gc', '--disable-warning=ExperimentalWarning'],
    })
    const url = await new Promise<string>((resolve) => child.once('message', (message) => resolve(message as string)))
    return new ServerProcess(child, url)
  }

  /** Resident memory after a collection, in bytes. */
  memory(): Promise<number> {
    return this.#ask({ ask: 'memory' }) as Promise<number>
  }

  commands(devices: string[], count: number): Promise<CommandTimes> {
    return this.#ask({ ask: 'commands', devices, count }) as Promise<CommandTimes>
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('exit', resolve))
    this.#child.kill('SIGKILL')
    await ended
  }

  #ask(question: Question): Promise<unknown> {
    return new Promise((resolve) => {
      this.#child.once('message', resolve)
      this.#child.send(question)
    })
  }
}

/** Answers the questions of {@link ServerProcess} in the server's process. */
export function answerQuestions(url: string, commands: (devices: string[], count: number) => Promise<CommandTimes>): void {
  process.on('message', (question: Question) => {
    if (question.ask === 'memory') {
      globalThis.gc?.()
      process.send?.(process.memoryUsage.rss())
    } else void commands(question.devices, question.count).then((times) => process.send?.(times))
  })
  process.send?.(url)
}
