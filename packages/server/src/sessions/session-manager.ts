import { LIMITS, aipError, errorText, messageOf, sleep, type Result } from '@orrery/aip'
import type { Agent } from '../agents/agent.js'
import { transientStore } from '../store/transient-store.js'
import { Absences } from './absences.js'
import { AwaitedEnds } from './awaited-ends.js'
import { DeviceQueue } from './device-queue.js'
import { pastSession } from './restore.js'
import { Session, type SessionEnvironment } from './session.js'
import { CANCELLATION, describeWork, type CancelReason, type Outcome, type Owner, type Task } from './task.js'

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
  /** Devices that are away while sessions wait for them. */
  readonly #away: Absences
  /** Constellations that are away while their sessions go on. */
  readonly #requestersAway: Absences
  #stopping = false
  #drained = false
  /** Ends that constellations wait for. */
  readonly awaitedEnds: AwaitedEnds

  /** @param agents of those that accept a work, the first runs it */
  constructor(env: SessionEnvironment, agents: readonly Agent[]) {
    this.#env = env
    this.#transientEnv = { ...env, store: transientStore(env.store) }
    this.#agents = agents
    this.awaitedEnds = new AwaitedEnds(env.store)
    const grace = env.resumeGraceMs ?? LIMITS.resumeGrace
    this.#away = new Absences(env.clock, grace, (id) => this.#giveUp(id))
    this.#requestersAway = new Absences(env.clock, grace, (id) => this.#giveUpRequester(id))
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

  /** Lets an accepted session run as soon as its device is free. One that was cancelled meanwhile ends at once. */
  start(session: Session): void {
    if (session.cancelled !== null) return void this.#finish(session)
    this.#queue(session.task.deviceId).add(session)
    this.#runNext(session.task.deviceId)
  }

  /**
   * Continues the sessions that had not ended when the last process of this server did. Each waits for its device; those of a
   * constellation that cannot resume end, because their requester is gone.
   */
  async restore(): Promise<void> {
    const { store, logger } = this.#env
    for (const runId of store.find({ open: true }).toReversed()) {
      const records = store.records(runId)
      for (const record of records) record.data = store.resolve(record.data)
      try {
        const past = pastSession(records)
        const session = new Session(past.task, this.#env, past)
        this.#live.set(past.task.sessionId, session)
        this.#ends.set(session, Promise.withResolvers())
        this.#env.peers.sessionOpened(past.task)
        const { kind, client_id: requester, resumes } = past.task.owner
        if (kind === 'constellation' && !resumes) {
          session.cancel('constellation_disconnected')
          await this.#finish(session)
          continue
        }
        if (kind === 'constellation' && requester !== null) this.#requestersAway.begin(requester)
        this.#queue(past.task.deviceId).add(session)
        this.#away.begin(past.task.deviceId)
        await session.pause().catch((error: unknown) => logger.error(messageOf(error)))
      } catch (error) {
        logger.error(`Session ${runId} cannot be continued: ${messageOf(error)}`)
        await store.append(
          runId,
          'ended',
          { status: 'failed', result: null, error: errorText('SERVER_RESTARTED'), agent: null },
          { status: 'failed' },
        )
      }
    }
  }

  /** A device that can resume has dropped: its sessions wait for it. */
  deviceAway(deviceId: string): void {
    const queue = this.#queues.get(deviceId)
    if (queue === undefined || this.#stopping) return
    this.#away.begin(deviceId)
    void queue.running?.pause().catch((error: unknown) => this.#env.logger.error(messageOf(error)))
  }

  /**
   * A device has registered: sessions that wait for it go on.
   * @param trusted whether it showed the token of its last registration, or never had one; otherwise the sessions end
   */
  deviceBack(deviceId: string, trusted: boolean): void {
    if (!this.#away.end(deviceId)) return
    if (!trusted) return this.#giveUp(deviceId)
    void this.#queues
      .get(deviceId)
      ?.running?.resume()
      .catch((error: unknown) => this.#env.logger.error(messageOf(error)))
    this.#runNext(deviceId)
  }

  /** The session of a device that goes on when it is back; null if there is none. While the server drains nothing is paused, and it goes on too. */
  continuing(deviceId: string): string | null {
    const queue = this.#queues.get(deviceId)
    const session = queue?.running ?? queue?.first
    return session === undefined || session.cancelled !== null ? null : session.task.sessionId
  }

  /** A constellation that can resume has dropped: its sessions go on. */
  requesterAway(clientId: string): void {
    if (!this.#stopping && this.sessionsOf(clientId).length > 0) this.#requestersAway.begin(clientId)
  }

  /** A constellation has registered. @param trusted as for {@link deviceBack} */
  requesterBack(clientId: string, trusted: boolean): void {
    if (this.#requestersAway.end(clientId) && !trusted) this.#giveUpRequester(clientId)
  }

  /** Ids of the live sessions that a constellation asked for. */
  sessionsOf(clientId: string): string[] {
    return [...this.#live.values()]
      .map(({ task }) => task)
      .filter(isOf(clientId))
      .map(({ sessionId }) => sessionId)
  }

  /** Ends all sessions of a device that did not come back. */
  #giveUp(deviceId: string): void {
    for (const session of this.#live.values()) {
      if (session.task.deviceId === deviceId) this.cancelTask(session.task.sessionId, 'device_disconnected')
    }
  }

  /** Ends all sessions of a constellation that did not come back. */
  #giveUpRequester(clientId: string): void {
    for (const sessionId of this.sessionsOf(clientId)) this.cancelTask(sessionId, 'constellation_disconnected')
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
  setResults(deviceId: string, sessionId: string, responseId: string, results: readonly Result[]): Promise<boolean> {
    const session = this.#live.get(sessionId)
    if (session === undefined || session.task.deviceId !== deviceId) return Promise.resolve(false)
    return session.setResult(responseId, results)
  }

  /**
   * Adds what a user says to the request of a running session.
   * @throws AipError `SESSION_ENDED`, or `SESSION_NOT_LISTENING` if its agent hears no remarks
   */
  async remark(sessionId: string, text: string): Promise<void> {
    const session = this.#live.get(sessionId)
    if (session === undefined) throw aipError('SESSION_ENDED', { id: sessionId })
    if (this.#agentFor(session)?.listens !== true) throw aipError('SESSION_NOT_LISTENING', { id: sessionId })
    await session.remark(text, 'operator')
  }

  /** Answers the open question of a session. @throws AipError `SESSION_ENDED` or `NO_QUESTION` */
  async answer(sessionId: string, text: string, questionId?: string): Promise<void> {
    const session = this.#live.get(sessionId)
    if (session === undefined) throw aipError('SESSION_ENDED', { id: sessionId })
    await session.answer(text, 'operator', questionId)
  }

  #agentFor({ task }: Session): Agent | undefined {
    return this.#agents.find((agent) => agent.accepts(task.work))
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

  /**
   * Takes no more tasks and gives those that run a while to end.
   * @param keep leave the others open in the log, for the next start; otherwise they end as failed
   */
  async stop(keep: boolean): Promise<void> {
    this.#stopping = true
    this.#away.stop()
    this.#requestersAway.stop()
    const ends = Promise.all([...this.#ends].filter(([session]) => this.#runs(session)).map(([, end]) => end.promise))
    const drained = new AbortController()
    if (keep) await Promise.race([ends, sleep(this.#env.clock, LIMITS.drainTime, drained.signal)])
    drained.abort()
    this.#drained = true
    const left = [...this.#ends.values()].map((end) => end.promise)
    for (const session of this.#live.values()) {
      if (keep) session.detach()
      this.cancelTask(session.task.sessionId, 'server_stopping')
    }
    await Promise.all(left)
  }

  /** Whether a session is at work now: not waiting in line or for its device. */
  #runs(session: Session): boolean {
    const { deviceId } = session.task
    return this.#queues.get(deviceId)?.running === session && !this.#away.has(deviceId)
  }

  /** Whether the sessions that were left have been let go of: whoever connects now would find none. */
  get drained(): boolean {
    return this.#drained
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
    const session = this.#stopping || this.#away.has(deviceId) ? undefined : queue.next()
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
    const outcome = await session.run(this.#agentFor(session))
    const end = this.#ends.get(session)
    this.#forget(session)
    if (session.detached) return end?.resolve(outcome)
    const { tellRequester } = session.cancelled === null ? { tellRequester: true } : CANCELLATION[session.cancelled]
    const tellDevice = session.cancelled !== 'device_disconnected'
    try {
      const { sessionId, deviceId, owner, assigned } = task
      const resultForDevice = owner.kind !== 'operator' || assigned
      const request = describeWork(task.work)
      await this.#env.peers.taskEnded({
        sessionId,
        deviceId,
        owner,
        request,
        outcome,
        tellRequester,
        tellDevice,
        resultForDevice,
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

function isOf(clientId: string): (task: Task) => boolean {
  return ({ owner }) => owner.kind === 'constellation' && owner.client_id === clientId
}

function sameOwner(a: Owner, b: Owner): boolean {
  return a.kind === b.kind && a.client_id === b.client_id
}
