import { aipError, messageOf, type Result } from '@orrery/aip'
import type { Agent } from '../agents/agent.js'
import type { SessionStore } from '../store/session-store.js'
import { DeviceQueue } from './device-queue.js'
import { Session, type SessionEnvironment } from './session.js'
import { CANCELLATION, describeWork, type CancelReason, type Outcome, type Owner, type Task } from './task.js'

/** Nothing is kept of transient sessions. */
function transientStore(store: SessionStore): SessionStore {
  return {
    append: (runId, type, data) => Promise.resolve({ seq: 0, runId, type, time: Date.now(), data }),
    records: () => [],
    find: () => [],
    resolve: (data) => store.resolve(data),
    prune: () => 0,
    close: () => Promise.resolve(),
  }
}

/** Takes tasks, runs one session at a time on each device, and ends sessions. Knows clients only through `Peers`. */
export class SessionManager {
  readonly #env: SessionEnvironment
  readonly #transientEnv: SessionEnvironment
  readonly #agents: readonly Agent[]
  /** Live sessions by session id. */
  readonly #live = new Map<string, Session>()
  readonly #queues = new Map<string, DeviceQueue>()
  /** Ends of live sessions, for whoever waits. */
  readonly #ends = new Map<Session, PromiseWithResolvers<Outcome>>()
  #stopping = false

  /** @param agents of those that accept a work, the first runs it */
  constructor(env: SessionEnvironment, agents: readonly Agent[]) {
    this.#env = env
    this.#transientEnv = { ...env, store: transientStore(env.store) }
    this.#agents = agents
  }

  /**
   * Records a task. It runs once {@link start} is called, so that its acknowledgement can go out first.
   * @returns the session; `repeated` if the same request of the same owner is live already and must not be started again
   * @throws AipError `SERVER_STOPPING`, `SESSION_OWNED`, `SESSION_RUNNING`, `QUEUE_FULL` or `STORE_FAILED`
   */
  async executeTask(task: Task): Promise<{ session: Session; repeated: boolean }> {
    if (this.#stopping) throw aipError('SERVER_STOPPING')
    const live = this.#live.get(task.sessionId)
    if (live !== undefined) return { session: repetition(live, task), repeated: true }
    const queue = this.#queue(task.deviceId)
    queue.reserve(task.deviceId)
    const session = new Session(task, task.transient ? this.#transientEnv : this.#env)
    this.#live.set(task.sessionId, session)
    this.#ends.set(session, Promise.withResolvers())
    try {
      await session.accept()
    } catch (error) {
      this.#ends.get(session)?.resolve({ status: 'failed', result: null, error: messageOf(error) })
      this.#forget(session)
      throw error
    } finally {
      queue.release()
    }
    if (!task.transient) this.#env.peers.sessionOpened(task)
    return { session, repeated: false }
  }

  /** Lets an accepted session run as soon as its device is free. */
  start(session: Session): void {
    this.#queue(session.task.deviceId).add(session)
    this.#runNext(session.task.deviceId)
  }

  /** A live session. */
  get(sessionId: string): Session | undefined {
    return this.#live.get(sessionId)
  }

  /** The session that runs on a device now. */
  runningOn(deviceId: string): Session | undefined {
    return this.#queues.get(deviceId)?.running ?? undefined
  }

  /** How a live session ends. */
  ended(session: Session): Promise<Outcome> {
    return this.#ends.get(session)?.promise ?? Promise.reject(aipError('SESSION_NOT_FOUND', { id: session.task.sessionId }))
  }

  /** The session that waits for this device to take up its assigned task, if there is one of that name. */
  assignedTo(deviceId: string, taskName: string): Session | undefined {
    const session = this.runningOn(deviceId)
    return session?.awaitsAdoption === true && session.task.taskName === taskName ? session : undefined
  }

  /**
   * Takes the results of a batch. Only the device that the session runs on is listened to.
   * @returns false if they were dropped: unknown session or batch, another device, or answered before
   */
  async setResults(deviceId: string, sessionId: string, responseId: string, results: readonly Result[]): Promise<boolean> {
    const session = this.#live.get(sessionId)
    if (session === undefined || session.task.deviceId !== deviceId) return false
    return session.setResult(responseId, results)
  }

  /** Ends a session. @returns false, and a warning in the log, if it is not live */
  cancelTask(sessionId: string, reason: CancelReason): boolean {
    const session = this.#live.get(sessionId)
    if (session === undefined) {
      this.#env.logger.warn(`No running task found for ${sessionId}`)
      return false
    }
    session.cancel(reason)
    if (this.#queue(session.task.deviceId).remove(session)) void this.#finish(session)
    return true
  }

  /** Takes no more tasks, ends those that are live, and waits for their ends. */
  async stop(): Promise<void> {
    this.#stopping = true
    const ends = [...this.#ends.values()].map((end) => end.promise)
    for (const id of this.#live.keys()) this.cancelTask(id, 'server_stopping')
    await Promise.all(ends)
  }

  get stopping(): boolean {
    return this.#stopping
  }

  #queue(deviceId: string): DeviceQueue {
    const queue = this.#queues.get(deviceId) ?? new DeviceQueue()
    this.#queues.set(deviceId, queue)
    return queue
  }

  #runNext(deviceId: string): void {
    const queue = this.#queue(deviceId)
    const session = queue.next()
    if (session !== undefined) {
      void this.#finish(session).then(() => {
        queue.running = null
        this.#runNext(deviceId)
      })
    } else if (queue.isEmpty) this.#queues.delete(deviceId)
  }

  /** Runs a session to its end and tells everybody. Never throws. */
  async #finish(session: Session): Promise<void> {
    const { task } = session
    const outcome = await session.run(this.#agents.find((agent) => agent.accepts(task.work)))
    const end = this.#ends.get(session)
    this.#forget(session)
    const { tellRequester } = session.cancelled === null ? { tellRequester: true } : CANCELLATION[session.cancelled]
    const tellDevice = session.cancelled !== 'device_disconnected'
    try {
      const { sessionId, deviceId, owner } = task
      await this.#env.peers.taskEnded({
        sessionId,
        deviceId,
        owner,
        request: describeWork(task.work),
        outcome,
        tellRequester,
        tellDevice,
      })
    } catch (error) {
      this.#env.logger.error(`Callback error for session ${task.sessionId}: ${messageOf(error)}`)
    }
    end?.resolve(outcome)
  }

  #forget(session: Session): void {
    if (this.#live.get(session.task.sessionId) === session) this.#live.delete(session.task.sessionId)
    this.#ends.delete(session)
  }
}

/** The live session of a task that came again. @throws AipError if the task is another one with the same session id */
function repetition(live: Session, task: Task): Session {
  const { sessionId, owner, requestId } = live.task
  if (!sameOwner(owner, task.owner)) throw aipError('SESSION_OWNED', { id: sessionId })
  if (requestId === null || requestId !== task.requestId) throw aipError('SESSION_RUNNING', { id: sessionId })
  return live
}

function sameOwner(a: Owner, b: Owner): boolean {
  return a.kind === b.kind && a.client_id === b.client_id
}
