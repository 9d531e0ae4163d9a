import { messageOf, parseWhole, startOf, type Clock } from '@orrery/aip'
import type { Session } from '@orrery/aip/api'
import { RecordType, type RecordData } from '@orrery/aip/records'
import { RecordLog, type LogRecord, type StreamInfo, type StreamQuery } from '@orrery/log'
import { SESSION_LABELS, labelsOf, type Recorded } from './session-labels.js'
import type { Lane, SessionFilter, SessionPruneLimits, SessionStore, StoredRecord } from './session-store.js'
import { applyRecord, newView, readRecord, viewOf, type Happening } from './session-view.js'
import { SERVER_LIMITS } from '../limits.js'
import { serverError } from '../errors.js'

/** Keeps sessions in one SQLite file, or in memory. Only one process has the file, so lanes are kept in its memory. */
export class SqliteSessionStore implements SessionStore {
  readonly #log: RecordLog
  readonly #lanes = new Map<string, Lane>()
  #lastEpoch = 0
  /** Sessions that have not ended, as lists show them, by run id; those of an earlier process once they are read. */
  readonly #live = new Map<string, Session>()

  /** @param path of the file; `:memory:` keeps nothing after the process @throws LogError if it cannot be opened */
  constructor(path: string, { durability, clock }: { durability?: 'normal' | 'full'; clock?: Clock } = {}) {
    this.#log = RecordLog.open(path, {
      labels: SESSION_LABELS,
      parse: parseWhole,
      ...(durability === undefined ? {} : { durability }),
      ...(clock === undefined ? {} : { now: () => clock.now() }),
    })
  }

  takeLane(name: string): Promise<Lane> {
    this.#lastEpoch += 1
    const lane = { name, epoch: this.#lastEpoch, position: 0 }
    this.#lanes.set(name, { ...lane })
    return Promise.resolve(lane)
  }

  releaseLane(lane: Lane): Promise<void> {
    if (this.#lanes.get(lane.name)?.epoch === lane.epoch) this.#lanes.delete(lane.name)
    return Promise.resolve()
  }

  // Not async functions: there are many records, and each would cost two more promises.
  append<T extends RecordType>(lane: Lane, runId: string, type: T, data: RecordData[T]): Promise<StoredRecord> {
    const held = this.#lanes.get(lane.name)
    if (held?.epoch !== lane.epoch || held.position !== lane.position)
      return Promise.reject(serverError('STALE_OWNER', { id: lane.name }))
    held.position += 1
    lane.position += 1
    return this.#log.append(runId, type, data, this.#changes(runId, { type, data } as Recorded)).then(
      ({ seq, time, data: stored }) => {
        this.#follow(runId, { type, time, data } as Happening)
        return { seq, runId, type, time, data: stored as Record<string, unknown> }
      },
      (error: unknown) => {
        throw storeError(error)
      },
    )
  }

  records(runId: string, afterSeq = 0): Promise<StoredRecord[]> {
    return this.#try(() => this.#log.read(runId, afterSeq).map(toStoredRecord))
  }

  wholeRecords(runId: string): Promise<StoredRecord[]> {
    return this.#try(() => this.#whole(runId))
  }

  find(filter: SessionFilter): Promise<string[]> {
    return this.#try(() => this.#log.streams(queryOf(filter)).map(({ stream }) => stream))
  }

  summaries(filter: SessionFilter): Promise<Session[]> {
    return this.#try(() => this.#summariesOf(this.#log.streams(queryOf(filter))))
  }

  value(runId: string, id: string): Promise<unknown> {
    return this.#try(() => this.#log.value(id, runId))
  }

  prune({ maxAgeMs, maxBytes, maxSessions }: SessionPruneLimits): Promise<number> {
    return this.#try(() => this.#log.prune({ maxAgeMs, maxBytes, maxStreams: maxSessions }))
  }

  close(): Promise<void> {
    return this.#log.close()
  }

  /** Returns what a record changes in labels and lists. A session's row for lists is written only at its start and its end. */
  #changes(runId: string, record: Recorded): Parameters<RecordLog['append']>[3] {
    const labels = labelsOf(record)
    if (labels === null) return undefined
    if (record.type === 'accepted') return { labels, summary: (time) => listed(newView(runId, record.data, time)) }
    if (record.type !== 'ended') return { labels }
    const summary = (time: number): Session | null => {
      const view = this.#viewOf(runId)
      if (view === undefined) return null
      const ended = { ...view }
      applyRecord(ended, { type: 'ended', data: { ...record.data, result: null }, time })
      return ended
    }
    return { labels, summary, open: false }
  }

  /** Applies a committed record to its listed session. */
  #follow(runId: string, record: Happening): void {
    if (record.type === 'accepted') this.#live.set(runId, listed(newView(runId, record.data, record.time)))
    else if (record.type === 'ended') this.#live.delete(runId)
    else {
      const view = this.#live.get(runId)
      if (view !== undefined) applyRecord(view, record)
    }
  }

  #summariesOf(streams: readonly StreamInfo[]): Session[] {
    return streams.flatMap(({ stream, open, summary }) => {
      const view = open ? this.#viewOf(stream) : ((summary as Session | null) ?? this.#replayed(stream))
      // A row of an older version has no field that came later.
      return view === undefined ? [] : [{ ...view, waits_for: null }]
    })
  }

  /** Returns a session that has not ended, as lists show it. */
  #viewOf(runId: string): Session | undefined {
    const known = this.#live.get(runId)
    if (known !== undefined) return known
    const view = this.#replayed(runId)
    if (view !== undefined) this.#live.set(runId, view)
    return view
  }

  /**
   * Returns what lists show of a session whose row an older version wrote, or that an earlier process left open; undefined if this version
   * cannot read its records, which must not affect other sessions or the server.
   */
  #replayed(runId: string): Session | undefined {
    const records = this.#whole(runId)
    try {
      const view = viewOf(records.map(readRecord))
      return view === undefined ? undefined : listed({ ...view, result: null })
    } catch {
      return undefined
    }
  }

  #whole(runId: string): StoredRecord[] {
    return this.#log.read(runId).map((record) => toStoredRecord({ ...record, data: this.#log.resolve(record.data) }))
  }

  #try<T>(work: () => T): Promise<T> {
    try {
      return Promise.resolve(work())
    } catch (error) {
      return Promise.reject(storeError(error))
    }
  }
}

function listed(view: Session): Session {
  const { request } = view
  return request.length <= SERVER_LIMITS.listedRequest
    ? view
    : { ...view, request: `${startOf(request, SERVER_LIMITS.listedRequest)}…` }
}

function queryOf({
  runId,
  deviceId,
  status,
  sessionId,
  taskName,
  askedName,
  awaitedBy,
  open,
  before,
  limit,
}: SessionFilter): StreamQuery {
  const labels = {
    device_id: deviceId,
    status,
    session_id: sessionId,
    task_name: taskName,
    asked_name: askedName,
    awaited_by: awaitedBy,
  }
  const given = Object.entries(labels).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return {
    labels: Object.fromEntries(given),
    newestFirst: true,
    ...(runId === undefined ? {} : { stream: runId }),
    ...(open === undefined ? {} : { open }),
    ...(before === undefined ? {} : { before }),
    ...(limit === undefined ? {} : { limit }),
  }
}

function toStoredRecord(record: LogRecord): StoredRecord {
  return {
    seq: record.seq,
    runId: record.stream,
    type: RecordType.parse(record.type),
    time: record.time,
    data: record.data as Record<string, unknown>,
  }
}

function storeError(error: unknown): Error {
  return serverError('STORE_FAILED', { detail: messageOf(error) })
}
