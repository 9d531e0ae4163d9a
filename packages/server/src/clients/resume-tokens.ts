import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { RecordLog } from '@orrery/log'

/** Tokens that were given out this long ago and replaced since are forgotten, in milliseconds. */
const PRUNE_AGE = 60_000

/** The tokens with which clients come back to their paused sessions. Only their hashes are kept; they outlive the process. */
export class ResumeTokens {
  readonly #log: RecordLog
  readonly #hashes = new Map<string, string>()

  /** @param path of their file; `:memory:` keeps nothing after the process */
  constructor(path: string) {
    this.#log = RecordLog.open(path, { labels: ['client_id'] })
    for (const { stream, labels } of this.#log.streams({ open: true })) {
      const data = this.#log.read(stream).at(-1)?.data
      if (labels['client_id'] && typeof data === 'string') this.#hashes.set(labels['client_id'], data)
    }
  }

  /** Makes a new token; the one before is good no more. Settles once it is recorded. */
  async issue(clientId: string): Promise<string> {
    const token = randomBytes(32).toString('base64url')
    const hash = digest(token)
    const old = this.#log.streams({ labels: { client_id: clientId }, open: true })
    this.#hashes.set(clientId, hash)
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

  /** Whether this is the client's last token. */
  matches(clientId: string, token: string | null): boolean {
    const known = this.#hashes.get(clientId)
    return known !== undefined && token !== null && timingSafeEqual(Buffer.from(known), Buffer.from(digest(token)))
  }

  /** Deletes what was replaced. */
  prune(): void {
    this.#log.prune({ maxAgeMs: PRUNE_AGE })
  }

  close(): Promise<void> {
    return this.#log.close()
  }
}

function digest(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}
