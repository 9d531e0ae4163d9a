import { hash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { ClientStore } from '../store/client-store.js'
import { SERVER_LIMITS } from '../limits.js'

/** What a client's token says about it. */
export interface TokenCheck {
  /** Whether the client ever got a token. */
  known: boolean
  /** Whether it shows one that is good. */
  matches: boolean
}

/**
 * The tokens with which clients come back to their paused sessions. A new one is made at each registration. A token stays good until a
 * newer one is shown: its way to the client may be lost, and the registration of an old connection may arrive after that of a new one.
 * Only hashes are kept.
 */
export class ResumeTokens {
  readonly #store: ClientStore

  constructor(store: ClientStore) {
    this.#store = store
  }

  /**
   * Makes a new token. Settles once it is recorded. The caller must not issue two for one client at once.
   * @param shown the token that the client registered with; those before it are good no more, without a good one all are not
   * @throws AipError `STORE_FAILED`
   */
  async issue(clientId: string, shown: string | null): Promise<string> {
    const token = randomBytes(32).toString('base64url')
    const known = await this.#store.tokens(clientId)
    const place = shown === null ? -1 : known.indexOf(digest(shown))
    const kept = place < 0 ? [] : [...known.slice(place, place + 1), ...known.slice(place + 1).slice(-SERVER_LIMITS.newerTokens)]
    await this.#store.saveTokens(clientId, [...kept, digest(token)])
    return token
  }

  /** What is known of the token that a client shows. @throws AipError `STORE_FAILED` */
  async check(clientId: string, token: string | null): Promise<TokenCheck> {
    const hashes = await this.#store.tokens(clientId)
    const shown = token === null ? null : Buffer.from(digest(token))
    return {
      known: hashes.length > 0,
      matches: shown !== null && hashes.some((known) => timingSafeEqual(Buffer.from(known), shown)),
    }
  }
}

function digest(token: string): string {
  return hash('sha256', token)
}
