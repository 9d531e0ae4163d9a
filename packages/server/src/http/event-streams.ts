import type { ServerResponse } from 'node:http'
import { messageOf, type Clock, type Logger } from '@orrery/aip'
import type { Holder, SharedBudget } from '@orrery/aip/node'
import type { Session, SessionEvent } from '@orrery/aip/api'
import type { FleetEventFilter } from '../fleet/events.js'
import type { Fleet } from '../fleet/fleet.js'
import type { Principal } from '../identity/principal.js'
import { SERVER_LIMITS } from '../limits.js'

/** One event as it is sent; `data` becomes JSON. */
interface ServerSentEvent {
  id: string | number | null
  type: string
  data: unknown
}

/** The open event streams (SSE) of the server. */
export class EventStreams {
  readonly #fleet: Fleet
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #budget: SharedBudget
  readonly #open = new Set<() => void>()

  /** @param budget what all connections may hold for slow readers */
  constructor(fleet: Fleet, clock: Clock, logger: Logger, budget: SharedBudget) {
    this.#budget = budget
    this.#fleet = fleet
    this.#clock = clock
    this.#logger = logger
  }

  /**
   * Streams the events of a session: those recorded after `afterSeq`, then live ones, until the session ends.
   * @param response of {@link eventResponse}; it is ended here
   */
  async session(
    principal: Principal,
    response: ServerResponse,
    { run_id: runId, session_id: sessionId, ended_at: endedAt }: Session,
    afterSeq: number,
  ): Promise<void> {
    const stream = this.#begin(response)
    let last = afterSeq
    const send = (event: SessionEvent): void => {
      // Records after the end, such as its delivery, are not part of the stream.
      if (stream.signal.aborted || (event.seq !== null && event.seq <= last)) return
      if (event.seq !== null) last = event.seq
      stream.send({ id: event.seq, type: event.type, data: event })
      if (event.type === 'ended') stream.end()
    }
    // Listening begins before reading; events that happen meanwhile wait until the recorded ones are sent.
    let waiting: SessionEvent[] | null = []
    const stop = this.#fleet.sessions.follow(principal, runId, (event) => {
      if (waiting === null) send(event)
      else waiting.push(event)
    })
    stream.signal.addEventListener('abort', stop, { once: true })
    try {
      const { events } = await this.#fleet.sessions.log(principal, runId, afterSeq)
      for (const event of events) send(event)
      for (const event of waiting) send(event)
      waiting = null
      const waits = this.#fleet.sessions.waiting(principal, runId)
      if (waits !== undefined) send(waits)
      // A reader that has already seen the end gets nothing more.
      if (endedAt !== null) stream.end()
    } catch (error) {
      this.#logger.error(`The events of session ${sessionId} could not be read: ${messageOf(error)}`)
      stream.end()
    }
  }

  /** Streams what happens on the fleet until the reader leaves. @param response of {@link eventResponse}; it is ended here */
  async fleet(principal: Principal, response: ServerResponse, filter: FleetEventFilter): Promise<void> {
    const stream = this.#begin(response)
    try {
      for await (const event of this.#fleet.events.follow(principal, filter, stream.signal)) stream.send(event)
    } catch (error) {
      this.#logger.error(`The event stream of ${principal.name} failed: ${messageOf(error)}`)
    }
    stream.end()
  }

  /** Ends all streams; readers return with Last-Event-ID. */
  close(): void {
    for (const end of this.#open) end()
  }

  #begin(response: ServerResponse): { signal: AbortSignal; send: (event: ServerSentEvent) => void; end: () => void } {
    response.writeHead(200)
    const ended = new AbortController()
    const clock = this.#clock
    const budget = this.#budget
    // What waits for this reader goes with its connection.
    const reader: Holder = { drop: () => void response.destroy() }
    const end = (): void => {
      if (ended.signal.aborted) return
      ended.abort()
      timer.cancel()
      this.#open.delete(end)
      budget.holds(reader, 0)
      response.end()
    }
    let timer = clock.after(SERVER_LIMITS.eventStreamSilence, keepAlive)
    function keepAlive(): void {
      response.write(': keep-alive\n\n')
      timer = clock.after(SERVER_LIMITS.eventStreamSilence, keepAlive)
    }
    this.#open.add(end)
    response.on('close', end)
    response.flushHeaders()
    const send = (event: ServerSentEvent): void => {
      if (ended.signal.aborted) return
      response.write(format(event), () => ended.signal.aborted || budget.holds(reader, response.writableLength))
      budget.holds(reader, response.writableLength)
      if (response.writableLength > SERVER_LIMITS.eventStreamUnsent) reader.drop()
    }
    return { signal: ended.signal, send, end }
  }
}

function format({ id, type, data }: ServerSentEvent): string {
  return `${id === null ? '' : `id: ${id}\n`}event: ${type}\ndata: ${JSON.stringify(data)}\n\n`
}
