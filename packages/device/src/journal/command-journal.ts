import { Result, aipError, messageOf, type Command } from '@orrery/aip'
import { RecordLog } from '@orrery/log'
import { z } from 'zod'
import { DEVICE_LIMITS } from '../limits.js'

/** A batch as the journal records it. */
export interface JournalledBatch {
  session_id: string | null
  response_id: string
  /** Status of the COMMAND, which its answer repeats. */
  status: string
}

/** What the journal knows about a batch. */
export interface PastBatch {
  /** All results, if it was finished. */
  results: Result[] | null
  /** Results by call id. */
  done: ReadonlyMap<string, Result>
  /** Call ids of commands that were started; null if one without an id was. */
  started: ReadonlySet<string | null>
}

/** A finished batch whose results the server has not acknowledged. */
export interface Unacknowledged extends JournalledBatch {
  results: Result[]
}

/** The pause after a pruning that leaves more to prune, in milliseconds. */
const PRUNE_PAUSE = 100

const Batch = z.object({
  session_id: z.string().nullable(),
  response_id: z.string(),
  status: z.string(),
  /** Missing in journals of older devices. */
  server: z.string().optional(),
})
/** Older devices recorded the token alone. */
const Token = z.union([
  z.object({ server: z.string(), token: z.string() }),
  z.string().transform((token) => ({ server: null, token })),
])
const Started = z.object({ call_id: z.string().nullable() })
const Done = z.object({ call_id: z.string().nullable(), result: Result })
const Finished = z.object({ results: z.array(Result) })

/** Which file a {@link CommandJournal} is in, and for whom. */
export interface CommandJournalOptions {
  /** Folders are made. */
  path: string
  /** Address of the server that the device dials, as {@link serverAddress} gives it. Nothing of another server is shown to it. */
  server: string
  /** A name of that server which stays when its address changes: what is kept under either is shown to it. Default: none. */
  serverName?: string | undefined
  /** Milliseconds since the epoch; default `Date.now`. */
  now?: () => number
}

/**
 * What has run on this device, in one SQLite file: each command before it starts and when it is done. Its methods that record
 * throw AipError `JOURNAL_FAILED` when the disk is full or broken.
 */
export class CommandJournal {
  readonly #log: RecordLog
  /** The names of the server, the one that new entries get first. */
  readonly #names: readonly string[]
  readonly #now: () => number
  #pruneAt = -Infinity

  constructor({ path, server, serverName, now = Date.now }: CommandJournalOptions) {
    this.#names = serverName === undefined ? [server] : [serverName, server]
    this.#now = now
    this.#log = RecordLog.open(path, { labels: ['kind'], now })
    this.#prune()
  }

  /** What is known of a batch; undefined if it never came. */
  past(responseId: string): PastBatch | undefined {
    const records = this.#log.read(responseId)
    if (records.length === 0) return undefined
    const done = new Map<string, Result>()
    const started = new Set<string | null>()
    let results: Result[] | null = null
    for (const { type, data } of records) {
      const whole = this.#log.resolve(data)
      if (type === 'started') started.add(Started.parse(whole).call_id)
      else if (type === 'done') {
        const { call_id: id, result } = Done.parse(whole)
        // Which of several commands without an id this was is not known.
        if (id !== null) done.set(id, result)
      } else if (type === 'finished') ({ results } = Finished.parse(whole))
    }
    return { results, done, started }
  }

  /** A batch has come in. Settles with the first {@link started} of the same turn. */
  begin(batch: JournalledBatch): Promise<void> {
    const { session_id, response_id, status } = batch
    this.#prune()
    const data = { session_id, response_id, status, server: this.#names[0] }
    return this.#append(response_id, 'batch', data, { labels: { kind: 'running' } })
  }

  /** A command is about to run. */
  started(responseId: string, command: Command): Promise<void> {
    return this.#append(responseId, 'started', { call_id: command.call_id })
  }

  /** A command has its result. */
  done(responseId: string, command: Command, result: Result): Promise<void> {
    return this.#append(responseId, 'done', { call_id: command.call_id, result })
  }

  /** All commands of a batch have their results. */
  finished(responseId: string, results: Result[]): Promise<void> {
    return this.#append(responseId, 'finished', { results }, { labels: { kind: 'finished' } })
  }

  /** The server has recorded the results of a batch. */
  async acknowledged(responseId: string): Promise<void> {
    if (this.#log.stream(responseId)?.open !== true) return
    await this.#append(responseId, 'acknowledged', null, { open: false, labels: { kind: 'acknowledged' } })
  }

  /** Finished batches of this server that must be sent again, oldest first. */
  unacknowledged(): Unacknowledged[] {
    return this.#log.streams({ open: true, labels: { kind: 'finished' } }).flatMap(({ stream }) => {
      const [first] = this.#log.read(stream)
      const results = this.past(stream)?.results
      const batch = Batch.safeParse(first?.data)
      if (!batch.success || !results) return []
      const { server = null, ...rest } = batch.data
      return this.#isOurs(server) ? [{ ...rest, results }] : []
    })
  }

  /** The token with which the device comes back to its sessions on this server; null before its first registration there. */
  get resumeToken(): string | null {
    return this.#tokens().find(({ server }) => this.#isOurs(server))?.token ?? null
  }

  /** Keeps a new token of this server; the one before is no longer valid. */
  async keepToken(token: string): Promise<void> {
    // Those of other servers are kept, up to a limit.
    const tokens = this.#tokens()
    const others = tokens.filter(({ server }) => !this.#isOurs(server))
    const old = [...tokens.filter(({ server }) => this.#isOurs(server)), ...others.slice(DEVICE_LIMITS.serverTokens - 1)]
    const data = { server: this.#names[0], token }
    const kept = this.#append(`token-${crypto.randomUUID()}`, 'token', data, { labels: { kind: 'token' } })
    await Promise.all([kept, ...old.map(({ stream }) => this.#append(stream, 'replaced', null, { open: false }))])
  }

  /** The tokens that are valid, newest first. */
  #tokens(): { stream: string; server: string | null; token: string }[] {
    return this.#log.streams({ open: true, labels: { kind: 'token' }, newestFirst: true }).flatMap(({ stream }) => {
      const read = Token.safeParse(this.#log.read(stream)[0]?.data)
      return read.success ? [{ stream, ...read.data }] : []
    })
  }

  #isOurs(server: string | null): boolean {
    return server === null || this.#names.includes(server)
  }

  /** Deletes old batches from time to time. A disk that is too full for that is reported when something is recorded. */
  #prune(): void {
    const now = this.#now()
    if (now < this.#pruneAt) return
    this.#pruneAt = now + DEVICE_LIMITS.journalPruning
    try {
      // Servers without a journal acknowledge nothing.
      const expired = this.#log
        .streams({ open: true, limit: DEVICE_LIMITS.journalPrunedAtOnce })
        .filter(({ createdAt, labels }) => labels['kind'] !== 'token' && createdAt <= now - DEVICE_LIMITS.journalExpiry)
      for (const { stream } of expired) this.#append(stream, 'expired', null, { open: false }).catch(() => {})
      const pruned = this.#log.prune({
        maxAgeMs: DEVICE_LIMITS.journalKept,
        maxBytes: DEVICE_LIMITS.journal,
        maxStreams: DEVICE_LIMITS.journalPrunedAtOnce,
      })
      if (pruned + expired.length >= DEVICE_LIMITS.journalPrunedAtOnce / 2) this.#pruneAt = now + PRUNE_PAUSE
    } catch {
      // What is kept too long does no harm.
    }
  }

  close(): Promise<void> {
    return this.#log.close()
  }

  async #append(...entry: Parameters<RecordLog['append']>): Promise<void> {
    try {
      await this.#log.append(...entry)
    } catch (error) {
      throw aipError('JOURNAL_FAILED', { detail: messageOf(error) })
    }
  }
}
