import { aipError, messageOf } from '@orrery/aip'
import { RecordType } from '@orrery/aip/api'
import { RecordLog, type LogRecord } from '@orrery/log'
import type { SessionFilter, SessionLabels, SessionRecord, SessionStore } from './session-store.js'

const LABELS = ['session_id', 'task_name', 'device_id', 'status', 'awaited_by'] as const

/** Keeps sessions in one SQLite file, or in memory: SQLite serves both. */
export class LogSessionStore implements SessionStore {
  readonly #log: RecordLog

  /** @param path of the file; `:memory:` keeps nothing after the process */
  constructor(path: string, options: { durability?: 'normal' | 'full'; now?: () => number } = {}) {
    this.#log = RecordLog.open(path, { ...options, labels: LABELS })
  }

  append(
    runId: string,
    type: RecordType,
    data: Record<string, unknown>,
    labels?: Partial<SessionLabels>,
  ): Promise<SessionRecord> {
    const options = { ...(labels === undefined ? {} : { labels }), ...(type === 'ended' ? { open: false } : {}) }
    return this.#log.append(runId, type, data, options).then(
      (record) => ({ seq: record.seq, runId, type, time: record.time, data: record.data as Record<string, unknown> }),
      (error: unknown) => {
        throw aipError('STORE_FAILED', { detail: messageOf(error) })
      },
    )
  }

  records(runId: string, afterSeq = 0): SessionRecord[] {
    return this.#log.read(runId, afterSeq).map(toSessionRecord)
  }

  find(filter: SessionFilter): string[] {
    const labels: Record<string, string> = {}
    if (filter.deviceId !== undefined) labels['device_id'] = filter.deviceId
    if (filter.status !== undefined) labels['status'] = filter.status
    if (filter.sessionId !== undefined) labels['session_id'] = filter.sessionId
    if (filter.taskName !== undefined) labels['task_name'] = filter.taskName
    if (filter.awaitedBy !== undefined) labels['awaited_by'] = filter.awaitedBy
    const { open, before, limit } = filter
    const streams = this.#log.streams({
      labels,
      newestFirst: true,
      ...(open === undefined ? {} : { open }),
      ...(before === undefined ? {} : { before }),
      ...(limit === undefined ? {} : { limit }),
    })
    return streams.map((info) => info.stream)
  }

  resolve(data: Record<string, unknown>): Record<string, unknown> {
    return this.#log.resolve(data) as Record<string, unknown>
  }

  value(runId: string, id: string): unknown {
    return this.#log.value(id, runId)
  }

  prune(limits: { maxAgeMs: number; maxBytes: number; maxStreams: number }): number {
    return this.#log.prune(limits)
  }

  close(): Promise<void> {
    return this.#log.close()
  }
}

function toSessionRecord(record: LogRecord): SessionRecord {
  return {
    seq: record.seq,
    runId: record.stream,
    type: RecordType.parse(record.type),
    time: record.time,
    data: record.data as Record<string, unknown>,
  }
}
