import { logError, type Logger } from '@orrery/aip'
import type { Session as SessionView } from '@orrery/aip/api'
import type { SessionStore } from '../store/session-store.js'
import type { Lanes } from './lanes.js'
import { Outbox } from './outbox.js'
import { pastEnd } from './past-end.js'
import type { Peers, TaskEnd } from './peers.js'
import type { Session } from './session.js'
import { CANCELLATION, describeWork, type Outcome, type WantedTask } from './task.js'

/** What {@link Delivery} works with. */
export interface DeliveryOptions {
  store: SessionStore
  lanes: Lanes
  peers: Peers
  logger: Logger
}

/**
 * Reports the ends of sessions to requester and device. Reporting is separate from running: nothing waits for it. An end that a
 * constellation with the feature resume has not acknowledged stays in the store as awaited by it, and is sent again when it returns.
 */
export class Delivery {
  readonly #store: SessionStore
  readonly #lanes: Lanes
  readonly #peers: Peers
  readonly #logger: Logger
  readonly #outboxes = new Map<string, Outbox>()

  constructor({ store, lanes, peers, logger }: DeliveryOptions) {
    this.#store = store
    this.#lanes = lanes
    this.#peers = peers
    this.#logger = logger
  }

  /**
   * Reports the recorded end of a session to its requester, then to its device, with one response id (protocol reference, 6.5).
   * Returns at once.
   */
  ended(session: Session, outcome: Outcome): void {
    const { task, cancelled, log } = session
    const { sessionId, deviceId, owner } = task
    const end = { sessionId, request: describeWork(task.work), outcome, responseId: crypto.randomUUID() }
    const { tellRequester } = cancelled === null ? { tellRequester: true } : CANCELLATION[cancelled]
    if (owner.kind === 'constellation' && owner.client_id !== null && tellRequester) {
      this.#tellRequester(owner.client_id, log.runId, end)
    }
    // A device that dropped is not notified, although it may be online again by now.
    if (cancelled === 'device_disconnected') return
    // It does not need a result that an operator waits for over HTTP.
    const withResult = owner.kind !== 'operator' || task.assigned
    // Now, so that it precedes what is sent to the device later, such as the commands of the next session.
    this.#send(deviceId, end, withResult).catch((error: unknown) => {
      logError(this.#logger, `Callback error for session ${sessionId}`, error)
    })
  }

  /** Sends a returned client what it has not acknowledged of the sessions that began at or after `since`. Settles when that is known. */
  async back(clientId: string, since: number): Promise<void> {
    for (const { run_id: runId } of await this.#endsFor(clientId, since)) this.again(clientId, runId)
  }

  /** Returns the session ids of the ends that {@link back} sends, oldest first. */
  async awaited(clientId: string, since: number): Promise<string[]> {
    return (await this.#endsFor(clientId, since)).map((end) => end.session_id)
  }

  async #endsFor(clientId: string, since: number): Promise<SessionView[]> {
    const ends = await this.#store.summaries({ awaitedBy: clientId, open: false })
    return ends.filter((end) => Date.parse(end.created_at) >= since).toReversed()
  }

  /** Returns the ended run of a task that its requester sends again because it does not know whether it arrived. */
  async repeated({ sessionId, requestId, owner }: WantedTask): Promise<string | undefined> {
    if (!owner.resumes || owner.client_id === null || requestId === null) return undefined
    for (const runId of await this.#store.find({ sessionId, awaitedBy: owner.client_id, open: false })) {
      const [accepted] = await this.#store.records(runId)
      if (accepted?.data['request_id'] === requestId) return runId
    }
    return undefined
  }

  /** Sends the end of a session to a client once more. Returns at once. */
  again(clientId: string, runId: string): void {
    this.#outbox(clientId).add(() => this.#sendPast(clientId, runId, crypto.randomUUID()))
  }

  /** Notes that a client knows how a session ended. Settles once that is recorded. @throws AipError `STORE_FAILED` */
  async acknowledged(clientId: string, sessionId: string): Promise<void> {
    for (const end of await this.#store.summaries({ sessionId, awaitedBy: clientId, open: false })) {
      await this.#lanes.with(end.device_id, (lane) => this.#store.append(lane, end.run_id, 'delivered', { client_id: clientId }))
    }
  }

  /** Drops what waits in memory for a client that has gone. */
  gone(clientId: string): void {
    this.#outboxes.get(clientId)?.clear()
    this.#outboxes.delete(clientId)
  }

  #tellRequester(clientId: string, runId: string, end: Omit<TaskEnd, 'withResult'>): void {
    const outbox = this.#outbox(clientId)
    // While something else is on its way, a result stays where it is recorded.
    if (outbox.isEmpty) outbox.add(() => this.#send(clientId, end, true))
    else outbox.add(() => this.#sendPast(clientId, runId, end.responseId))
  }

  async #sendPast(clientId: string, runId: string, responseId: string): Promise<void> {
    const end = await pastEnd(this.#store, runId)
    if (end !== undefined) await this.#send(clientId, { ...end, responseId }, true)
  }

  /** Sends an end to a client, in this turn of the event loop, if it is online. */
  #send(clientId: string, end: Omit<TaskEnd, 'withResult'>, withResult: boolean): Promise<void> {
    return this.#peers.client(clientId)?.sendEnd({ ...end, withResult }) ?? Promise.resolve()
  }

  #outbox(clientId: string): Outbox {
    const outbox = this.#outboxes.get(clientId) ?? new Outbox(this.#logger)
    this.#outboxes.set(clientId, outbox)
    return outbox
  }
}
