import type { ServerResponse } from 'node:http'
import type { Clock } from '@orrery/aip'
import type { SessionEvent } from '@orrery/aip/api'
import type { EventHub } from '../sessions/event-hub.js'
import type { SessionArchive } from '../sessions/session-archive.js'
import { SERVER_LIMITS } from '../limits.js'

/** The open event streams (SSE) of the server. */
export class EventStreams {
  readonly #archive: SessionArchive
  readonly #hub: EventHub
  readonly #clock: Clock
  readonly #open = new Set<() => void>()

  constructor(options: { archive: SessionArchive; hub: EventHub; clock: Clock }) {
    this.#archive = options.archive
    this.#hub = options.hub
    this.#clock = options.clock
  }

  /**
   * Streams the events of a run: what is recorded after `afterSeq`, then what happens, until the session has ended.
   * @param response a response whose head is not sent yet; it is ended here
   */
  stream(response: ServerResponse, run: { runId: string; sessionId: string; ended: boolean }, afterSeq: number): void {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' })
    let last = afterSeq
    let timer = this.#clock.after(SERVER_LIMITS.eventStreamSilence, keepAlive)
    let ended = false
    const send = (event: SessionEvent): void => {
      // What is recorded after the end, such as its delivery, is not of the session.
      if (ended) return
      if (event.seq !== null && event.seq <= last) return
      if (event.seq !== null) last = event.seq
      response.write(format(event))
      if (event.type === 'ended' || response.writableLength > SERVER_LIMITS.eventStreamUnsent) end()
    }
    // Listening begins before reading: an event in between comes twice and is dropped by its number.
    const stop = this.#hub.subscribe(run.runId, send)
    const end = (): void => {
      ended = true
      stop()
      timer.cancel()
      this.#open.delete(end)
      response.end()
    }
    const clock = this.#clock
    function keepAlive(): void {
      response.write(': keep-alive\n\n')
      timer = clock.after(SERVER_LIMITS.eventStreamSilence, keepAlive)
    }
    this.#open.add(end)
    response.on('close', end)
    response.flushHeaders()
    for (const event of this.#archive.events(run.runId, run.sessionId, afterSeq)) send(event)
    // A reader that has seen the end already gets nothing more.
    if (run.ended) end()
  }

  /** Ends all streams; readers come back with Last-Event-ID. */
  close(): void {
    for (const end of this.#open) end()
  }
}

function format(event: SessionEvent): string {
  const id = event.seq === null ? '' : `id: ${event.seq}\n`
  return `${id}event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`
}
