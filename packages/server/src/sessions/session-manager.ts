import { LIMITS, logError, messageOf, silentLogger, sleep, systemClock, type Clock, type Logger, type Result } from '@orrery/aip'
import type { Agent } from '../agents/agent.js'
import { commandsAgent } from '../agents/commands-agent.js'
import { followerAgent } from '../agents/workflow/workflow-agent.js'
import { SecretSources } from '../config/secret-sources.js'
import type { Feed } from '../store/feed.js'
import { MemoryFeed } from '../store/memory-feed.js'
import { SqliteSessionStore } from '../store/sqlite-session-store.js'
import type { Lane, SessionStore } from '../store/session-store.js'
import { readRecord } from '../store/session-view.js'
import { Absences } from './absences.js'
import { CLEAN_UP_STEP } from './clean-up.js'
import { DeviceToolLists } from './device-tool-lists.js'
import { Delivery } from './delivery.js'
import type { DeviceLane } from './device-lane.js'
import type { FileCopier } from './file-copier.js'
import { Intake, type Taken } from './intake.js'
import { Lanes } from './lanes.js'
import { LiveSessions } from './live-sessions.js'
import type { Peers } from './peers.js'
import { pastSession, type PastSession } from './restore.js'
import { SessionDevice } from './session-device.js'
import { SessionLog } from './session-log.js'
import { SessionSecrets } from './session-secrets.js'
import { Session } from './session.js'
import type { CancelReason, Outcome, Task, WantedTask } from './task.js'
import { serverError, serverErrorText } from '../errors.js'

/** What a {@link SessionManager} is made of. All but the peers have a default: a log in memory, the built-in agents, the system clock, no logger. */
export type SessionManagerOptions = Partial<SessionEnvironment> & Pick<SessionEnvironment, 'peers'>

/** What a {@link SessionManager} works with. */
export interface SessionEnvironment {
  store: SessionStore
  feed: Feed
  peers: Peers
  toolLists: DeviceToolLists
  /** The secrets that workflows and agents may use. */
  secrets: SecretSources
  /** Copies files for agents. Default: nothing does. */
  copier?: FileCopier | undefined
  /** The first one that accepts a work runs it. */
  agents: readonly Agent[]
  clock: Clock
  logger: Logger
  /** Overrides the platform that devices register with. */
  platform?: string | undefined
  /** How long sessions wait for a device that can resume, in milliseconds. Default 120 s. */
  resumeGraceMs?: number | undefined
}

/**
 * Connects the parts that accept tasks ({@link Intake}), run them one at a time on each device ({@link Lanes}) and report their
 * ends ({@link Delivery}). Knows clients only through `Peers`.
 */
export class SessionManager {
  readonly live = new LiveSessions()
  readonly lanes: Lanes
  readonly delivery: Delivery
  /** What it works with. */
  readonly environment: SessionEnvironment
  readonly #intake: Intake
  /** Constellations that are away while their sessions continue. */
  readonly #requestersAway: Absences
  #drained = false

  constructor(options: SessionManagerOptions) {
    const { peers, clock = systemClock, platform } = options
    const env: SessionEnvironment = {
      store: new SqliteSessionStore(':memory:'),
      feed: new MemoryFeed(),
      agents: [followerAgent, commandsAgent],
      logger: silentLogger,
      toolLists: new DeviceToolLists({ peers, clock, platform }),
      secrets: new SecretSources(),
      ...options,
      clock,
    }
    this.environment = env
    const { store, feed, logger } = env
    const graceMs = env.resumeGraceMs ?? LIMITS.resumeGrace
    this.lanes = new Lanes({
      store,
      feed,
      clock,
      logger,
      graceMs,
      run: (session) => this.#run(session),
      giveUp: (deviceId) => this.#giveUpDevice(deviceId),
    })
    this.delivery = new Delivery({ store, lanes: this.lanes, peers, logger })
    this.#intake = new Intake(store, this.live, this.lanes, (task, lane) => this.#newSession(task, lane))
    this.#requestersAway = new Absences(clock, graceMs, (id) => this.#giveUpRequester(id))
  }

  /**
   * Records a task. It runs once {@link start} is called, so that its acknowledgement can be sent first.
   * @throws AipError `SERVER_STOPPING`, `SESSION_OWNED`, `SESSION_RUNNING`, `QUEUE_FULL` or `STORE_FAILED`, and what is wrong with its work
   */
  executeTask(task: WantedTask): Promise<Taken> {
    return this.#intake.take(task)
  }

  /**
   * Runs an accepted session as soon as its device is free. One that was cancelled meanwhile ends at once. A client that has dropped since
   * its task arrived is treated as any other that drops.
   */
  start(session: Session): void {
    this.#noteAbsences(session)
    if (session.cancelled !== null) void this.#run(session)
    else this.lanes.get(session.task.deviceId)?.add(session)
  }

  /**
   * Continues the sessions that the previous process of this server left open. Each waits for its device; those of a
   * constellation that cannot resume end, because their requester is gone.
   */
  async restore(): Promise<void> {
    for (const runId of (await this.environment.store.find({ open: true })).toReversed()) {
      const records = await this.environment.store.wholeRecords(runId)
      const deviceId = records[0]?.data['device_id']
      const lane = await this.lanes.enter(typeof deviceId === 'string' ? deviceId : '')
      try {
        await this.#continue(pastSession(records.map(readRecord)), lane)
      } catch (error) {
        logError(this.environment.logger, `Session ${runId} cannot be continued`, error)
        const ended = { status: 'failed', result: null, error: serverErrorText('SERVER_RESTARTED'), agent: null } as const
        await this.environment.store.append(lane.lane, runId, 'ended', ended)
      } finally {
        lane.leave()
      }
    }
  }

  /** Notes that a constellation that can resume has dropped: its sessions continue. */
  requesterAway(clientId: string): void {
    if (this.state === 'open' && this.live.ofConstellation(clientId).length > 0) this.#requestersAway.begin(clientId)
  }

  /** Notes that a constellation has registered. */
  requesterBack(clientId: string): void {
    this.#requestersAway.end(clientId)
  }

  /** Returns the session that waits for this device to start its assigned task, if there is one of that name. */
  assignedTo(deviceId: string, taskName: string): Session | undefined {
    const session = this.lanes.get(deviceId)?.running
    return session?.adoption.isAwaited === true && session.task.taskName === taskName ? session : undefined
  }

  /**
   * Takes the results of a batch, from the session's own device only.
   * @returns whether they are recorded; false if they were dropped: unknown session or batch, another device, or already answered
   */
  setResults(deviceId: string, sessionId: string, responseId: string, results: readonly Result[]): Promise<boolean> {
    if (this.environment.toolLists.answered(deviceId, responseId, results)) return Promise.resolve(true)
    const session = this.live.get(sessionId)
    if (session === undefined || session.task.deviceId !== deviceId) return Promise.resolve(false)
    return session.dispatcher.setResult(responseId, results)
  }

  /**
   * Adds what a user says to the request of a running session.
   * @param by the principal's name
   * @throws AipError `SESSION_ENDED`, or `SESSION_NOT_LISTENING` if its agent takes no remarks
   */
  async remark(sessionId: string, text: string, by: string): Promise<void> {
    const session = this.live.get(sessionId)
    if (session === undefined) throw serverError('SESSION_ENDED', { id: sessionId })
    if (this.#agentFor(session)?.listens !== true) throw serverError('SESSION_NOT_LISTENING', { id: sessionId })
    await session.remark(text, by)
  }

  /** Ends a session. @returns false, and a warning in the log, if it is not live */
  cancelTask(sessionId: string, reason: CancelReason): boolean {
    const session = this.live.get(sessionId)
    if (session === undefined) {
      this.environment.logger.warn(`No running task found for ${sessionId}`)
      return false
    }
    this.#cancelAll([session], reason)
    return true
  }

  /**
   * Stops accepting tasks and gives running ones a while to end.
   * @param keep leave the others open in the log, for the next start; otherwise they end as failed
   */
  async stop(keep: boolean): Promise<void> {
    this.#intake.close()
    this.lanes.stop()
    this.#requestersAway.stop()
    const running = [...this.live].filter((session) => this.lanes.isAtWork(session))
    const ends = Promise.all(running.map((session) => this.live.ended(session)))
    const drained = new AbortController()
    if (keep) await Promise.race([ends, sleep(this.environment.clock, LIMITS.drainTime, drained.signal)])
    drained.abort()
    this.#drained = true
    const left = [...this.live]
    const leftEnds = left.map((session) => this.live.ended(session))
    if (keep) for (const session of left) session.detach()
    this.#cancelAll(left, 'server_stopping')
    await Promise.all(leftEnds)
  }

  /** `stopping`: tasks are no longer accepted. `drained`: the open sessions are released too, so a client that connects now would find none. */
  get state(): 'open' | 'stopping' | 'drained' {
    if (this.#drained) return 'drained'
    return this.#intake.closed ? 'stopping' : 'open'
  }

  async #continue(past: PastSession, lane: DeviceLane): Promise<void> {
    const session = this.#newSession(past.task, lane.lane, past)
    lane.admit(session)
    this.live.add(session)
    const { owner, deviceId } = past.task
    const cleanedUp = past.steps.some(({ name }) => name === CLEAN_UP_STEP)
    if (cleanedUp || (owner.kind === 'constellation' && !owner.resumes)) {
      session.cancel(cleanedUp ? 'user_requested' : 'constellation_disconnected')
      await this.#run(session)
      return
    }
    if (owner.kind === 'constellation' && owner.client_id !== null) this.#requestersAway.begin(owner.client_id)
    this.lanes.await(deviceId)
    lane.add(session)
    await session.pause().catch((error: unknown) => this.environment.logger.error(messageOf(error)))
  }

  #noteAbsences({ task: { deviceId, owner } }: Session): void {
    const { peers } = this.environment
    if (this.state !== 'open') return
    if (peers.device(deviceId) === undefined && !this.lanes.isAway(deviceId)) {
      if (peers.canResume(deviceId)) this.lanes.away(deviceId)
      else this.#cancelAll(this.live.onDevice(deviceId), 'device_disconnected')
    }
    const requester = owner.kind === 'constellation' ? owner.client_id : null
    if (requester === null || peers.client(requester) !== undefined || this.#requestersAway.has(requester)) return
    if (owner.resumes) this.requesterAway(requester)
    else this.#cancelAll(this.live.ofConstellation(requester), 'constellation_disconnected')
  }

  #newSession(task: Task, lane: Lane, past?: PastSession): Session {
    const { store, feed, peers, toolLists, secrets, copier, clock, logger, platform } = this.environment
    const { sessionId, deviceId, owner } = task
    // An operator knows a session by one id, whatever peers call theirs.
    const runId = owner.kind === 'operator' ? sessionId : undefined
    const log = new SessionLog({ store, feed, lane, clock, sessionId, runId, past: past?.records })
    const sent = past?.batches.flatMap(({ batch }) => batch.secrets.map(({ name }) => name))
    const device = new SessionDevice(deviceId, peers, platform, toolLists)
    return new Session({ task, log, device, secrets: new SessionSecrets(secrets, sent), copier, clock, logger, past })
  }

  /** Runs a session until it ends and reports the end, without waiting for that. Never throws. */
  async #run(session: Session): Promise<Outcome> {
    const outcome = await session.run(this.#agentFor(session))
    if (!session.detached) this.delivery.ended(session, outcome)
    this.lanes.get(session.task.deviceId)?.dismiss(session)
    this.live.end(session, outcome)
    return outcome
  }

  #agentFor({ task }: Session): Agent | undefined {
    return this.environment.agents.find((agent) => agent.accepts(task.work))
  }

  #cancelAll(sessions: readonly Session[], reason: CancelReason): void {
    for (const session of sessions) {
      session.cancel(reason)
      if (this.lanes.get(session.task.deviceId)?.remove(session) === true) void this.#run(session)
    }
  }

  /** Ends all sessions of a device that did not return. */
  #giveUpDevice(deviceId: string): void {
    const sessions = this.live.onDevice(deviceId)
    this.environment.logger.info(`[WS] 📱 Device ${deviceId} disconnected, cancelling ${sessions.length} active session(s)`)
    this.#cancelAll(sessions, 'device_disconnected')
  }

  /** Ends all sessions of a constellation that did not return. */
  #giveUpRequester(clientId: string): void {
    const sessions = this.live.ofConstellation(clientId)
    this.environment.logger.info(
      `[WS] 🌟 Constellation ${clientId} disconnected, cancelling ${sessions.length} active session(s)`,
    )
    this.#cancelAll(sessions, 'constellation_disconnected')
  }
}
