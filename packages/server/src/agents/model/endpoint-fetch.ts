import { AsyncLocalStorage } from 'node:async_hooks'
import { APICallError } from '@ai-sdk/provider'
import type { proxiedFetch } from '@orrery/aip/node'
import { SERVER_LIMITS } from '../../limits.js'

/** An endpoint answered as a whole although it was asked for a stream. */
export class WholeAnswerError extends Error {
  override readonly name = 'WholeAnswerError'
  readonly body: string

  constructor(body: string) {
    super('the answer came as a whole')
    this.body = body
  }
}

/** The answer that the next request of a call is given instead of being sent. */
const given = new AsyncLocalStorage<string>()

/** Runs what sends a request, which is answered with this body without being sent. */
export function answeredWith<T>(body: string, work: () => Promise<T>): Promise<T> {
  return given.run(body, work)
}

/**
 * Returns a `fetch` that looks at the beginning of each stream, whatever its type is said to be. Anything else is read as a whole.
 * @returns a `fetch` that throws {@link WholeAnswerError}, or an `APICallError` with the body, for anything but a stream of events
 */
export function endpointFetch(send: ReturnType<typeof proxiedFetch>): typeof fetch {
  return async (input, init) => {
    const body = given.getStore()
    if (body !== undefined) return new Response(body, { headers: { 'content-type': 'application/json' } })
    const url = input instanceof Request ? input.url : input
    const response = await send(url, init)
    if (!response.ok || response.body === null || !asksForStream(init?.body)) return response
    const { begin, rest } = await beginning(response.body)
    if (isEventStream(begin)) return new Response(rest, { status: response.status, headers: response.headers })
    const whole = await textOf(rest)
    if (isWholeAnswer(whole)) throw new WholeAnswerError(whole)
    throw new APICallError({
      message: 'The answer is not a stream of events',
      url: String(url),
      requestBodyValues: {},
      statusCode: response.status,
      responseHeaders: Object.fromEntries(response.headers),
      responseBody: whole,
    })
  }
}

function asksForStream(body: unknown): boolean {
  return typeof body === 'string' && /"stream":\s*true/.test(body)
}

/** Reads as far as needed to see what it is. */
async function beginning(body: ReadableStream<Uint8Array>): Promise<{ begin: string; rest: ReadableStream<Uint8Array> }> {
  const reader = body.getReader()
  const chunks: Uint8Array[] = []
  const decoder = new TextDecoder()
  let begin = ''
  while (begin.trimStart().length < LONGEST_FIELD) {
    const { done, value } = await reader.read()
    if (done) break
    chunks.push(value)
    begin += decoder.decode(value, { stream: true })
  }
  const rest = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const first = chunks.shift()
      if (first !== undefined) return controller.enqueue(first)
      const { done, value } = await reader.read()
      if (done) controller.close()
      else controller.enqueue(value)
    },
    cancel: (reason) => reader.cancel(reason),
  })
  return { begin: begin.trimStart(), rest }
}

/** Characters of the longest field of a stream of events, with its colon. */
const LONGEST_FIELD = 6

/** An empty body is a stream that ended before it began. */
function isEventStream(begin: string): boolean {
  return begin === '' || /^(:|data\s*:?|event:?|id:?|retry:?)/.test(begin)
}

async function textOf(stream: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of stream) {
    text += decoder.decode(chunk, { stream: true })
    if (text.length > SERVER_LIMITS.modelAnswer) break
  }
  return text
}

/** Returns whether a body is what the endpoint would say without a stream, of OpenAI's protocol or Anthropic's. */
function isWholeAnswer(body: string): boolean {
  try {
    const value: unknown = JSON.parse(body)
    if (typeof value !== 'object' || value === null) return false
    if ('choices' in value) return Array.isArray(value.choices) && value.choices.length > 0 && !isSet(value, 'error')
    return 'type' in value && value.type === 'message' && 'content' in value
  } catch {
    return false
  }
}

function isSet(value: object, key: string): boolean {
  return key in value && (value as Record<string, unknown>)[key] !== null
}
