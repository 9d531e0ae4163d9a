import { readFileSync } from 'node:fs'
import { WireClient, type Json } from '../support/wire-client.js'

/** One line of a recording. */
interface Line {
  conn: number
  dir: 'c2s' | 's2c'
  ev: string
  opcode?: 'text' | 'binary'
  raw?: string
  code?: number
}

/** What a server's message looks like, free of values that differ from run to run. */
export interface Shape {
  conn: number
  type: unknown
  status: unknown
  /** Fields that are not null, in their order. */
  set: string[]
  /** All fields, in their order. */
  fields: string[]
  /** Which message of the client an id repeats, e.g. `response_id = request_id of message 3`. */
  ids: string[]
}

const ID_FIELDS = ['session_id', 'response_id', 'request_id', 'task_name'] as const

export function readRecording(name: string): Line[] {
  const text = readFileSync(new URL(`recordings/${name}.jsonl`, import.meta.url), 'utf8')
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line)
}

/**
 * Plays the client side of a recording against a server.
 * @returns the shapes of what the server should have sent and of what it sent, and the close codes of both
 */
export async function replayAgainstServer(
  url: string,
  token: string,
  lines: Line[],
): Promise<{ recorded: (Shape | string)[]; played: (Shape | string)[] }> {
  const clients = new Map<number, WireClient>()
  const recorded: (Shape | string)[] = []
  const played: (Shape | string)[] = []
  const sentThen: Json[] = []
  for (const line of lines) {
    const client = clients.get(line.conn)
    if (line.ev === 'http_request') clients.set(line.conn, await WireClient.connect(url, token))
    else if (line.ev === 'msg' && line.dir === 'c2s') {
      const raw = line.raw ?? ''
      sentThen.push(asObject(raw))
      client?.sendRaw(raw)
    } else if (line.ev === 'msg') {
      recorded.push(shapeOf(line.conn, asObject(line.raw ?? ''), sentThen))
      played.push(shapeOf(line.conn, (await client?.next()) ?? {}, sentThen))
    } else if (line.ev === 'close' && line.dir === 'c2s') {
      client?.close(line.code)
    } else if (line.ev === 'close') {
      recorded.push(`${line.conn} close ${line.code}`)
      played.push(`${line.conn} close ${(await client?.nextClose())?.code}`)
    }
  }
  for (const client of clients.values()) client.close()
  return { recorded, played }
}

function asObject(raw: string): Json {
  try {
    const value: unknown = JSON.parse(raw)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {}
  } catch {
    return {}
  }
}

function shapeOf(conn: number, message: Json, sent: Json[]): Shape {
  const fields = Object.keys(message)
  const ids = ID_FIELDS.flatMap((field) => {
    const value = message[field]
    if (typeof value !== 'string') return []
    const index = sent.findIndex((other) => ID_FIELDS.some((key) => other[key] === value))
    return index < 0 ? [] : [`${field} repeats an id of client message ${index}`]
  })
  return {
    conn,
    type: message['type'],
    status: message['status'],
    set: fields.filter((field) => message[field] !== null),
    fields,
    ids,
  }
}
