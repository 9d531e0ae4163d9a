import { type EventSourceMessage, EventSourceParserStream } from 'eventsource-parser/stream'
import { ApiClientError } from './api-client-error.js'
import { type HttpRequest, type ServerTarget, notOrrery, send, unreachable } from './http-caller.js'

/** How a lost event stream is reconnected; all in milliseconds. */
export interface ReconnectLimits {
  /** The first wait; each further one is twice as long. */
  firstMs: number
  /** No wait is longer. A connection that lasts longer counts as a good one. */
  longestMs: number
  /** Without an event or a good connection for this long the stream of a session fails; the stream of the fleet never does. */
  giveUpMs: number
}

/** An event and the id from which the stream resumes after it; null leaves the earlier id. */
export interface ReadEvent<Event> {
  id: string | null
  event: Event
}

/** What {@link eventStream} takes. */
export interface EventStreamOptions<Event> {
  target: ServerTarget
  request: Pick<HttpRequest, 'method' | 'path'>
  /** The id to start after, asked again until it is known; undefined starts at the server's default. */
  start: () => Promise<string | undefined>
  /** Reads a message; undefined for one that is ignored: the caller has had it, or only a newer server knows its type. */
  read: (message: EventSourceMessage, lastId: string | undefined) => ReadEvent<Event> | undefined
  /** Returns whether an event is the last one. */
  isLast: (event: Event) => boolean
  /** Returns whether there is nothing more to come, asked when a connection brings nothing. */
  hasEnded: () => Promise<boolean>
  signal: AbortSignal | undefined
  reconnect: ReconnectLimits
  /** Whether the server has answered this client before: then it is worth waiting for. */
  reached: boolean
}

/**
 * Streams events, each once and in order, across lost connections.
 * @throws {ApiClientError} when the first connection to a server that never answered fails, when the server refuses, or when it stays away for `giveUpMs`
 */
export async function* eventStream<Event>(options: EventStreamOptions<Event>): AsyncGenerator<Event, void, undefined> {
  const { target, signal, reconnect } = options
  let lastId: string | undefined
  let everConnected = options.reached
  let endedBefore = false
  let lostSince: number | undefined
  let wait = reconnect.firstMs
  for (;;) {
    const openedAt = Date.now()
    let events = 0
    let failure: unknown
    try {
      lastId ??= await options.start()
      const messages = await connect(options, lastId)
      everConnected = true
      for await (const message of messages) {
        events += 1
        wait = reconnect.firstMs
        lostSince = undefined
        const next = options.read(message, lastId)
        if (next === undefined) continue
        lastId = next.id ?? lastId
        yield next.event
        if (options.isLast(next.event)) return
      }
      // The caller may have had the last event already. That is certain once a connection brings nothing although all is known to have ended.
      if (events === 0 && endedBefore) return
      endedBefore = events === 0 && (await options.hasEnded())
    } catch (error) {
      signal?.throwIfAborted()
      if (error instanceof ApiClientError && !isPassing(error)) throw error
      failure = error
    }
    if (Date.now() - openedAt > reconnect.longestMs) lostSince = undefined
    lostSince ??= Date.now()
    // A server that never answered is worth an error at once; one that has answered is worth waiting for.
    if (!everConnected || Date.now() - lostSince >= reconnect.giveUpMs) {
      throw failure instanceof ApiClientError
        ? failure
        : unreachable(target, failure ?? new Error('the event stream keeps ending early'))
    }
    await delay(wait * (0.5 + Math.random() / 2), signal)
    wait = Math.min(wait * 2, reconnect.longestMs)
  }
}

/** Parses the JSON of a message. @throws {ApiClientError} `INVALID_MESSAGE` if `parse` does not accept it */
export function readData<T>(target: ServerTarget, message: EventSourceMessage, parse: (data: unknown) => T): T {
  try {
    return parse(JSON.parse(message.data))
  } catch (cause) {
    const detail = `The server at ${target.base} sent an event that cannot be read: is it of another version?`
    throw new ApiClientError('INVALID_MESSAGE', detail, null, { cause })
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

async function connect(
  { target, request: { method, path }, signal }: Pick<EventStreamOptions<unknown>, 'target' | 'request' | 'signal'>,
  lastId: string | undefined,
): Promise<ReadableStream<EventSourceMessage>> {
  const headers = { accept: 'text/event-stream', ...(lastId === undefined ? {} : { 'last-event-id': lastId }) }
  const request: HttpRequest = { method, path, headers }
  const response = await send(target, request, signal)
  if (response.body === null || !response.headers.get('content-type')?.startsWith('text/event-stream')) {
    await response.body?.cancel()
    throw notOrrery(target, response, request)
  }
  return response.body.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream())
}

/** Returns whether waiting may help: the server, or a proxy before it, is there but not in a state to answer. */
function isPassing(error: ApiClientError): boolean {
  return error.code === 'CONNECT_FAILED' || error.code === 'TIMEOUT' || (error.status !== null && error.status >= 500)
}
