import { Worker } from 'node:worker_threads'
import { readClientMessage, type Decoded } from '../codec.js'
import { EncodedValue } from '../encoded-value.js'
import { aipError } from '../errors.js'
import { LIMITS } from '../limits.js'
import type { ClientMessage } from '../messages/to-server.js'
import type { LargeReader } from '../protocol/aip-protocol.js'
import type { CheckedFrame, LargeFrame } from './large-results-worker.js'

/** Tests run the sources. */
const WORKER = new URL(
  import.meta.url.endsWith('.ts') ? './large-results-worker.ts' : './large-results-worker.js',
  import.meta.url,
)

const BOUNDS: LargeFrame['bounds'] = {
  frame: { depth: LIMITS.nesting, values: LIMITS.resultsValues, widest: Infinity },
  result: { depth: LIMITS.nesting, values: LIMITS.resultValues, widest: LIMITS.resultKeys },
  inlineBytes: LIMITS.inlineValue,
  messageBytes: LIMITS.message,
}

/**
 * Reads results that are large, in a thread of its own: parsing them would hold up all other connections. Large values stay bytes.
 * The thread starts with the first of them.
 */
export class LargeResults {
  readonly #waiting = new Map<number, PromiseWithResolvers<CheckedFrame>>()
  #worker: Worker | null = null
  #lastId = 0

  /**
   * Reads a message that {@link decodeClientMessage} refuses for its size.
   * @param frame whose memory may be handed over
   * @param refusal thrown if the message is not about results, or is large without them
   * @throws AipError `INVALID_MESSAGE` or `TOO_MANY_VALUES`
   */
  async read(frame: string | Uint8Array, refusal: Error): Promise<Decoded<ClientMessage>> {
    const bytes = typeof frame === 'string' ? new TextEncoder().encode(frame) : frame
    this.#lastId += 1
    const id = this.#lastId
    const waiting = Promise.withResolvers<CheckedFrame>()
    this.#waiting.set(id, waiting)
    // Smaller memory may be shared with other frames.
    const whole = bytes.byteOffset === 0 && bytes.byteLength === bytes.buffer.byteLength
    const request: LargeFrame = { id, bytes, bounds: BOUNDS }
    this.#running().postMessage(request, whole ? [bytes.buffer as ArrayBuffer] : [])
    const checked = await waiting.promise
    if ('problem' in checked) throw problemOf(checked.problem, refusal)
    const results: unknown = checked.message['action_results']
    for (const { index, valueId, jsonBytes } of checked.values) {
      const result: unknown = Array.isArray(results) ? results[index] : undefined
      if (typeof result === 'object' && result !== null) Reflect.set(result, 'result', new EncodedValue(valueId, jsonBytes))
    }
    return readClientMessage(checked.message)
  }

  /** Returns a reader for one connection. @param mayRead whether its client may send results now */
  readerIf(mayRead: () => boolean): LargeReader {
    return { read: (frame, refusal) => (mayRead() ? this.read(frame, refusal) : Promise.reject(refusal)) }
  }

  /** Stops the thread; what is being read fails. */
  async close(): Promise<void> {
    await this.#worker?.terminate()
    this.#fail()
  }

  #running(): Worker {
    if (this.#worker !== null) return this.#worker
    const worker = new Worker(WORKER, { resourceLimits: { maxOldGenerationSizeMb: LIMITS.resultsMemory / 2 ** 20 } })
    worker.unref()
    worker.on('message', (checked: CheckedFrame) => {
      this.#waiting.get(checked.id)?.resolve(checked)
      this.#waiting.delete(checked.id)
    })
    // It runs out of memory before the process does; the next results get a new thread.
    worker.on('error', () => this.#fail())
    this.#worker = worker
    return worker
  }

  #fail(): void {
    this.#worker = null
    for (const [id, { resolve }] of this.#waiting) resolve({ id, problem: 'too many values' })
    this.#waiting.clear()
  }
}

function problemOf(problem: Extract<CheckedFrame, { problem: string }>['problem'], refusal: Error): Error {
  switch (problem) {
    case 'not JSON':
      return aipError('INVALID_MESSAGE', { detail: 'not valid JSON' })
    case 'too deep':
      return aipError('INVALID_MESSAGE', { detail: 'nested too deep' })
    case 'too many values':
      return aipError('TOO_MANY_VALUES', { limit: LIMITS.resultsValues, keys: LIMITS.resultKeys })
    case 'not results':
    case 'too large':
      return refusal
  }
}
