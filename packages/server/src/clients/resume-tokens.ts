import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { RecordLog } from '@orrery/log'

/** Tokens that were given out this long ago and replaced since are forgotten, in milliseconds. */
const PRUNE_AGE = 60_000

/** So many tokens that were made after the one that a client shows are good. */
const MAX_NEWER = 16

/**
 * The tokens with which clients come back to their paused sessions. A new one is made at each registration. A token stays good until a
 * newer one is shown: its way to the client may be lost, and the registration of an old connection may arrive after that of a new one.
 * Only hashes are kept; they outlive the process.
 */
export class ResumeTokens {
  readonly #log: RecordLog
  /** The hashes that are good, oldest first, by client. */
  readonly #hashes = new Map<string, readonly string[]>()

  /** @param path of their file; `:memory:` keeps nothing after the process */
  constructor(path: string) {
    this.#log = RecordLog.open(path, { labels: ['client_id'] })
    for (const { stream, labels } of this.#log.streams({ open: true })) {
      const hash = this.#hashIn(stream)
      const id = labels['client_id']
      if (id && hash !== null) this.#hashes.set(id, [...(this.#hashes.get(id) ?? []), hash])
    }
  }

  /**
   * Makes a new token. Settles once it is recorded.
   * @param shown the token that the client registered with; those before it are good no more, without a good one all are not
   */
  async issue(clientId: string, shown: string | null = null): Promise<string> {
    const token = randomBytes(32).toString('base64url')
    const hash = digest(token)
    const known = this.#hashes.get(clientId) ?? []
    const place = shown === null ? -1 : known.indexOf(digest(shown))
    const kept = place < 0 ? [] : [...known.slice(place, place + 1), ...known.slice(place + 1).slice(-MAX_NEWER)]
    const old = this.#log.streams({ labels: { client_id: clientId }, open: true }).filter(({ stream }) => {
      const other = this.#hashIn(stream)
      return other === null || !kept.includes(other)
    })
    // At once: another registration may come before this one is recorded.
    this.#hashes.set(clientId, [...kept, hash])
    await Promise.all([
      this.#log.append(crypto.randomUUID(), 'token', hash, { labels: { client_id: clientId } }),
      ...old.map(({ stream }) => this.#log.append(stream, 'replaced', null, { open: false })),
    ])
    return token
  }

  /** Whether a client ever got a token. */
  has(clientId: string): boolean {
    return this.#hashes.has(clientId)
  }

  /** Whether the client may come back with this token. */
  matches(clientId: string, token: string | null): boolean {
    if (token === null) return false
    const shown = Buffer.from(digest(token))
    return (this.#hashes.get(clientId) ?? []).some((hash) => timingSafeEqual(Buffer.from(hash), shown))
  }

  /** Deletes what was replaced. */
  prune(): void {
    this.#log.prune({ maxAgeMs: PRUNE_AGE })
  }

  close(): Promise<void> {
    return this.#log.close()
  }

  #hashIn(stream: string): string | null {
    const data = this.#log.read(stream)[0]?.data
    return typeof data === 'string' ? data : null
  }
}

function digest(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}
