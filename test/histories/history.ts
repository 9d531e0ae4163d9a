import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Command } from '@orrery/aip'
import type { Session } from '@orrery/aip/api'
import { RecordLog } from '@orrery/log'

/** The folder of the recorded files: one folder for each month in which some were added. */
export const RECORDED = fileURLToPath(new URL('recorded', import.meta.url))

/** One append to a log, as the code of its time made it. */
export interface HistoryRecord {
  seq: number
  stream: string
  type: string
  /** ISO-8601. */
  time: string
  /** Large values in place. */
  data: unknown
  /** The data as it is stored, where large values were moved out of it. */
  stored?: unknown
  labels?: Record<string, string | null>
  /** The row that lists show, as of this record. */
  summary?: unknown
  open?: boolean
}

interface Head {
  /** What it is, in one line. */
  about: string
  /** The label columns of the log. */
  labels: string[]
}

/** What the first line of a session's file says. */
export interface SessionHead extends Head {
  kind: 'session'
  /** The session as the HTTP API showed it at the end. */
  session: Session
  /** How often the model was asked. */
  model_requests: number
}

/** A batch that a device was sent; its journal does not hold the commands themselves. */
export interface SentBatch {
  session_id: string
  response_id: string
  commands: Command[]
}

/** What the first line of a journal's file says. */
export interface JournalHead extends Head {
  kind: 'journal'
  /** The address of the server that the device dialled, as its journal has it. */
  server: string
  /** What the server sent it. */
  batches: SentBatch[]
}

/** A recorded file. */
export interface History<H extends SessionHead | JournalHead = SessionHead | JournalHead> {
  name: string
  head: H
  records: HistoryRecord[]
}

/** All recorded histories of a kind. */
export function histories<K extends 'session' | 'journal'>(kind: K): History<Extract<SessionHead | JournalHead, { kind: K }>>[] {
  const files = readdirSync(RECORDED, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.jsonl'))
  return files.sort().flatMap((file) => {
    const lines = readFileSync(join(RECORDED, file), 'utf8').trimEnd().split('\n')
    const [head, ...records] = lines.map((line) => JSON.parse(line) as unknown)
    const history = { name: file.replace('.jsonl', ''), head, records } as History
    return history.head.kind === kind ? [history as History<Extract<SessionHead | JournalHead, { kind: K }>>] : []
  })
}

/** Returns the text of a history's file: what it is, then one line for each record. */
export function textOf({ head, records }: Omit<History, 'name'>): string {
  return [head, ...records].map((line) => `${JSON.stringify(line)}\n`).join('')
}

/** Writes records into a new log file with their times, labels and summaries, as they were written when they were recorded. */
export async function writeLog(path: string, labels: readonly string[], records: readonly HistoryRecord[]): Promise<void> {
  let now = 0
  const log = RecordLog.open(path, { labels, now: () => now })
  for (const { stream, type, time, data, labels: changed, summary, open } of records) {
    now = Date.parse(time)
    await log.append(stream, type, data, {
      ...(changed === undefined ? {} : { labels: changed }),
      ...(summary === undefined ? {} : { summary: () => summary }),
      ...(open === undefined ? {} : { open }),
    })
  }
  await log.close()
}
