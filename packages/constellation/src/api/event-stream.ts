import { SessionEvent } from '@orrery/aip/api'
import { RecordType } from '@orrery/aip/records'
import { type EventSourceMessage, EventSourceParserStream } from 'eventsource-parser/stream'
import { ApiClientError } from './api-client-error.js'
import { type HttpRequest, type ServerTarget, notOrrery, send, unreachable } from './http-caller.js'

/** How a lost event stream is taken up again; all in milliseconds. */
export interface ReconnectLimits {
  /** The first wait; each further one is twice as long. */
  firstMs: number
  /** No wait is longer. A connection that lasts longer counts as a good one. */
  longestMs: number
  /** Without an event or a good connection for this long the stream fails. */
  giveUpMs: number
}

/** What {@link eventStream} takes. */
export interface EventStreamOptions {
  target: ServerTarget
  request: Pick<HttpRequest, 'method' | 'path'>
  /** Only events after this sequence number. */
  afterSeq: number | undefined
  signal: AbortSignal | undefined
  reconnect: ReconnectLimits
  /** Whether the server has answered this client before: then it is worth waiting for. */
  reached: boolean
  /** Whether the session has ended, asked when a connection brings nothing. */
  hasEnded: () => Promise<boolean>
}

/**
 * The events of one session, each once and in order, across lost connections; ends after `ended`.
 * @throws {ApiClientError} when the first connection to a server that never answered fails, when the server refuses, or when it stays away for `giveUpMs`
 */
export async function* eventStream(options: EventStreamOptions): AsyncGenerator<SessionEvent, void, undefined> {
  const { target, signal, reconnect } = options
  let lastSeq = options.afterSeq
  let everConnected = options.reached
  let endedBefore = false
  let lostSince: number | undefined
  let wait = reconnect.firstMs
  for (;;) {
    const openedAt = Date.now()
    let events = 0
    let failure: unknown
    try {
      const messages = await connect(options, lastSeq)
      everConnected = true
      for await (const message of messages) {
        events += 1
        wait = reconnect.firstMs
        lostSince = undefined
        const event = decode(target, message)
        if (event === undefined || isOld(event.seq, lastSeq)) continue
        lastSeq = event.seq ?? lastSeq
        yield event
        if (event.type === 'ended') return
      }
      // The caller may have had `ended` already. It is certain once a connection brings nothing of a session known to have ended.
      if (events === 0 && endedBefore) return
      endedBefore = events === 0 && (await options.hasEnded())
    } catch (error) {
      signal?.throwIfAborted()
      if (error instanceof ApiClientError && !isPassing(error)) throw error
      failure = error
    }
    if (Date.now() - openedAt > reconnect.longestMs) lostSince = undefined
    lostSince ??= Date.now()
    // A server that was never there is worth an error at once; one that was there is worth waiting for.
    if (!everConnected || Date.now() - lostSince >= reconnect.giveUpMs) {
      throw failure instanceof ApiClientError ? failure : unreachable(target, failure ?? new Error('the event stream breaks off'))
    }
    await delay(wait * (0.5 + Math.random() / 2), signal)
    wait = Math.min(wait * 2, reconnect.longestMs)
  }
}

/** Waits. @throws the reason of the signal. Unlike a timer of `systemClock`, this one keeps the process alive. */
function delay(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', abort)
      resolve()
    }, ms)
    const abort = (): void => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    if (signal?.aborted) return abort()
    signal?.addEventListener('abort', abort, { once: true })
  })
}

async function connect(options: EventStreamOptions, lastSeq: number | undefined): Promise<ReadableStream<EventSourceMessage>> {
  const { target } = options
  const request: HttpRequest = {
    ...options.request,
    headers: { accept: 'text/event-stream', ...(lastSeq === undefined ? {} : { 'last-event-id': String(lastSeq) }) },
  }
  const response = await send(target, request, options.signal)
  if (response.body === null || !response.headers.get('content-type')?.startsWith('text/event-stream')) {
    await response.body?.cancel()
    throw notOrrery(target, response, request)
  }
  return response.body.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream())
}

/** The event in a message; undefined for a type that only a newer server knows. */
function decode(target: ServerTarget, message: EventSourceMessage): SessionEvent | undefined {
  if (message.event !== 'progress' && !RecordType.safeParse(message.event).success) return undefined
  try {
    return SessionEvent.parse(JSON.parse(message.data))
  } catch (cause) {
    const detail = `The server at ${target.base} sent an event that cannot be read: is it of another version?`
    throw new ApiClientError('INVALID_MESSAGE', detail, null, { cause })
  }
}

function isOld(seq: number | null, lastSeq: number | undefined): boolean {
  return seq !== null && lastSeq !== undefined && seq <= lastSeq
}

/** Whether waiting may help: the server, or a proxy before it, is there but not in a state to answer. */
function isPassing(error: ApiClientError): boolean {
  return error.code === 'CONNECT_FAILED' || error.code === 'TIMEOUT' || (error.status !== null && error.status >= 500)
}
