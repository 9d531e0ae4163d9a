import { type Clock } from '@orrery/aip'
import { ProcessGroup } from '../../process/process-group.js'
import { failedEnd } from '../../process/program-end.js'
import { slowOutput } from '../../process/slow-output.js'
import type { ReadyCommand } from './command-request.js'
import { SHELL_LIMITS } from './limits.js'
import type { OutputStore } from './output-store.js'
import type { SpooledOutput } from './spooled-output.js'
import { deviceError } from '../../errors.js'

/** A program in the background. */
export interface Job {
  id: string
  /** A human-readable description. */
  command: string
  group: ProcessGroup
  output: SpooledOutput
  terminal: boolean
  startedAt: number
  /** Set once it has ended. */
  end: { code: number | null; signal: string | null } | null
  /** Why its end was a failure; null while it runs, and after a success. */
  failure: string | null
}

/** The jobs of one server. */
export class Jobs {
  readonly #outputs: OutputStore
  readonly #clock: Clock
  readonly #jobs = new Map<string, Job>()
  #count = 0

  constructor(outputs: OutputStore, clock: Clock) {
    this.#outputs = outputs
    this.#clock = clock
  }

  /** In the order of their start. */
  get all(): readonly Job[] {
    return [...this.#jobs.values()]
  }

  /** @throws AipError `NO_SUCH_ITEM` */
  get(id: string): Job {
    const job = this.#jobs.get(id)
    if (job === undefined) throw deviceError('NO_SUCH_ITEM', { what: 'job', id })
    return job
  }

  /** The job of this id, if it is one. */
  find(id: string): Job | undefined {
    return this.#jobs.get(id)
  }

  /**
   * Starts a job.
   * @param command the program, with its terminal around it if it has one, and the words that were asked for
   * @throws AipError `TOO_MANY_JOBS`; the system's error when the program cannot be started
   */
  async start(command: ReadyCommand & { argv: readonly string[] }, shown: string, terminal: boolean): Promise<Job> {
    if (this.all.filter((job) => job.end === null).length >= SHELL_LIMITS.jobs)
      throw deviceError('TOO_MANY_JOBS', { limit: SHELL_LIMITS.jobs })
    const { file, args, cwd, env, argv } = command
    const options = { leadsSessions: terminal, endsDaemons: true }
    const group = new ProcessGroup(file, args, { cwd, env, stdio: 'pipe' }, this.#clock, options)
    const output = this.#outputs.create(SHELL_LIMITS.inMemory)
    for (const stream of [group.child.stdout, group.child.stderr]) {
      stream?.on('data', (chunk: Buffer) => output.add(chunk))
      if (stream !== null) slowOutput(stream, this.#clock)
    }
    // A program that ends without reading its input.
    group.child.stdin?.on('error', () => {})
    await group.started
    this.#count += 1
    const job: Job = {
      id: `job-${this.#count}`,
      command: shown,
      group,
      output,
      terminal,
      startedAt: this.#clock.now(),
      end: null,
      failure: null,
    }
    this.#jobs.set(job.id, job)
    this.#outputs.keep(job.id, output)
    void group.ended.then((end) => {
      job.end = end
      job.failure = failedEnd(end, argv)
      output.notify()
      this.#forgetOldest()
    })
    return job
  }

  /** Ends all. Settles when they have ended. */
  async close(): Promise<void> {
    await Promise.all(this.all.filter(({ end }) => end === null).map(({ group }) => group.end()))
  }

  #forgetOldest(): void {
    for (const { id, end } of this.all) {
      if (this.#jobs.size <= SHELL_LIMITS.outputs) return
      if (end !== null) this.#jobs.delete(id)
    }
  }
}
