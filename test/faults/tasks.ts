import type { SessionState } from './api.ts'
import type { Breach } from './book.ts'
import type { FaultTask } from './task.ts'

/** No task may take longer, in milliseconds: faults do not last that long, and few tasks wait before it. */
const HANG_TIME = 60_000

/** All tasks of a run, and what is noticed while they run. */
export class Tasks {
  readonly all: FaultTask[] = []
  readonly noticed: { task: FaultTask; breach: Breach; detail: string }[] = []
  readonly #serverFull: () => boolean
  readonly #ends = new Map<string, number>()

  /** @param serverFull whether the server's disk has no room now */
  constructor(serverFull: () => boolean) {
    this.#serverFull = serverFull
  }

  serverFull(): boolean {
    return this.#serverFull()
  }

  /** When a wait that begins now is given up. */
  limit(): number {
    return Date.now() + HANG_TIME
  }

  /** A task that may have been accepted: its session has its name. */
  expected(task: FaultTask): FaultTask {
    this.all.push(task)
    return task
  }

  accepted(task: FaultTask, sessionId: string): void {
    task.sessionId = sessionId
    this.all.push(task)
  }

  /** A requester on the wire has read that its task was recorded. */
  acknowledged(sessionId: string): void {
    const task = this.#named(sessionId)
    if (task !== undefined) task.sessionId = sessionId
  }

  ended(task: FaultTask, { status, ended_at: time }: SessionState): void {
    this.#end(task, status, Date.parse(time ?? ''))
  }

  /** A requester on the wire got the end of a task. */
  delivered(requester: string, sessionId: string, result: unknown): void {
    const task = this.#named(sessionId)
    const [first] = Array.isArray(result) ? (result as { result: unknown }[]) : []
    const parts = typeof first?.result === 'string' ? first.result.split(';') : []
    // Whether a forged result could be is seen in the events.
    const own = parts.every(
      (part) => part === '' || part === 'forged' || (task !== undefined && part.startsWith(`${task.name} `)),
    )
    const wrong = task === undefined || task.requester !== requester || !own
    if (task !== undefined && wrong) this.#notice(task, 'wrong', `${requester} got ${JSON.stringify(result)}`)
    if (task === undefined) return
    if (task.endedAt !== null) this.#notice(task, 'other', 'its end was delivered twice')
    this.#end(task, null, Date.now())
  }

  /** A requester on the wire has lost its connection: its tasks may be cancelled. */
  abandoned(requester: string): void {
    for (const task of this.all) if (task.requester === requester && task.endedAt === null) task.abandoned = true
  }

  lost(task: FaultTask, detail: string): void {
    this.#notice(task, 'lost', detail)
  }

  hung(task: FaultTask, detail = `no end within ${HANG_TIME / 1000} s`): void {
    this.#notice(task, 'hung', detail)
  }

  /** What a requester got of a task is not all of it. */
  incomplete(task: FaultTask, detail: string): void {
    this.#notice(task, 'other', detail)
  }

  /** When the last session of a device ended that was seen to end. */
  lastEnd(deviceId: string): number {
    return this.#ends.get(deviceId) ?? 0
  }

  #end(task: FaultTask, status: string | null, time: number): void {
    task.status = status
    task.endedAt = time
    this.#ends.set(task.device.id, Math.max(this.lastEnd(task.device.id), time))
  }

  #named(name: string): FaultTask | undefined {
    return this.all.findLast((task) => task.name === name)
  }

  #notice(task: FaultTask, breach: Breach, detail: string): void {
    this.noticed.push({ task, breach, detail })
  }
}
