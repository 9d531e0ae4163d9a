import { createHash } from 'node:crypto'
import { parentPort } from 'node:worker_threads'
import type * as CutText from '../cut-text.js'
import type * as JsonShapes from '../json-shape.js'

/** A frame to check, and the bounds. */
export interface LargeFrame {
  id: number
  bytes: Uint8Array
  bounds: { frame: JsonShapes.JsonShape; result: JsonShapes.JsonShape; inlineBytes: number; messageBytes: number }
}

/** A value that was taken out of the results: its place, the SHA-256 of its JSON, and that JSON. */
export interface TakenValue {
  index: number
  valueId: string
  jsonBytes: Uint8Array
}

/** The answer: a message whose large results are null, and these; or what is wrong with it. */
export type CheckedFrame =
  | { id: number; message: Record<string, unknown>; values: TakenValue[] }
  | { id: number; problem: 'not results' | 'not JSON' | 'too deep' | 'too many values' | 'too large' }

type Json = Record<string, unknown>

// Tests run the sources.
const { jsonShape, exceeds } = (await import(
  import.meta.url.endsWith('.ts') ? '../json-shape.ts' : '../json-shape.js'
)) as typeof JsonShapes
const { startOf } = (await import(import.meta.url.endsWith('.ts') ? '../cut-text.ts' : '../cut-text.js')) as typeof CutText

parentPort?.on('message', (frame: LargeFrame) => {
  const checked = check(frame)
  const values = 'values' in checked ? checked.values : []
  parentPort?.postMessage(
    checked,
    values.map(({ jsonBytes }) => jsonBytes.buffer as ArrayBuffer),
  )
})

function check({ id, bytes, bounds }: LargeFrame): CheckedFrame {
  let message: unknown
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    const shape = jsonShape(text, bounds.frame)
    if (shape.depth > bounds.frame.depth) return { id, problem: 'too deep' }
    if (exceeds(shape, bounds.frame)) return { id, problem: 'too many values' }
    message = JSON.parse(text, /__proto__|\\u00(?:5f|6f|7[024])/i.test(text) ? dropProto : undefined)
  } catch {
    return { id, problem: 'not JSON' }
  }
  if (!isObject(message) || !isResults(message['type'])) return { id, problem: 'not results' }
  const results = Array.isArray(message['action_results']) ? (message['action_results'] as unknown[]) : []
  const values: TakenValue[] = []
  let inline = 0
  for (const [index, result] of results.entries()) {
    if (!isObject(result)) continue
    const name = result['result'] === undefined || result['result'] === null ? 'observation' : 'result'
    for (const key of ['error', 'error_message']) {
      const { [key]: error } = result
      if (typeof error === 'string') result[key] = startOf(error, bounds.inlineBytes)
    }
    const json = JSON.stringify(result[name]) as string | undefined
    if (json === undefined) continue
    if (exceeds(jsonShape(json, bounds.result), bounds.result)) {
      results[index] = { ...result, status: 'failure', [name]: null, error: 'The result has too many values' }
    } else if (json.length > bounds.inlineBytes || inline + json.length > bounds.messageBytes / 2) {
      values.push({ index, ...encoded(json) })
      result[name] = null
    } else inline += json.length
  }
  return JSON.stringify(message).length > bounds.messageBytes ? { id, problem: 'too large' } : { id, message, values }
}

function encoded(json: string): Omit<TakenValue, 'index'> {
  const jsonBytes = new TextEncoder().encode(json)
  return { valueId: createHash('sha256').update(jsonBytes).digest('hex'), jsonBytes }
}

/** The names of `command_results` on the wire and in the documents. */
function isResults(type: unknown): boolean {
  return typeof type === 'string' && /^command_results$/i.test(type)
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function dropProto(this: unknown, key: string, value: unknown): unknown {
  return key === '__proto__' ? undefined : value
}
