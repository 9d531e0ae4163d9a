import { readFileSync, readdirSync } from 'node:fs'
import type { Json } from '../support/wire-client.js'

/** One line of a recording: one event of one connection. */
export interface Line {
  conn: number
  /** `c2s` from the client to the server, `s2c` back. */
  dir: 'c2s' | 's2c'
  ev: 'tcp_open' | 'http_request' | 'http_response' | 'msg' | 'ping' | 'pong' | 'close' | 'tcp_eof'
  opcode?: 'text' | 'binary'
  /** The exact text of a text message. */
  raw?: string
  /** The bytes of a binary message. */
  hex?: string
  code?: number
  /** Request or status line, then the headers. */
  head?: string[]
  body?: string
}

const FOLDER = new URL('recordings/', import.meta.url)

/** All recorded conversations. */
export function recordingNames(): string[] {
  return readdirSync(FOLDER)
    .filter((file) => file.endsWith('.jsonl'))
    .map((file) => file.slice(0, -'.jsonl'.length))
    .sort()
}

export function readRecording(name: string): Line[] {
  const text = readFileSync(new URL(`${name}.jsonl`, FOLDER), 'utf8')
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line)
}

/** One answer of the HTTP API. */
export interface HttpAnswer {
  name: string
  method: string
  path: string
  status: number
  body: string
}

export function readHttpTable(): HttpAnswer[] {
  return JSON.parse(readFileSync(new URL('10_http_table.json', FOLDER), 'utf8')) as HttpAnswer[]
}

/** A text as a JSON object; an empty one if it is none. */
export function asObject(raw: string | undefined): Json {
  try {
    const value: unknown = JSON.parse(raw ?? '')
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {}
  } catch {
    return {}
  }
}

/** Method, path and headers of a recorded request. */
export function requestOf({ head = [] }: Line): { method: string; path: string; headers: Record<string, string> } {
  const [first = '', ...rest] = head
  const [method = 'GET', path = '/'] = first.split(' ')
  const headers = rest.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()])
  return { method, path, headers: Object.fromEntries(headers) as Record<string, string> }
}

/** Status of a recorded response. */
export function statusOf({ head = [] }: Line): number {
  return Number(head[0]?.split(' ')[1])
}
