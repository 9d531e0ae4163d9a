import { hash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { ClientStore } from '../store/client-store.js'
import { TOKEN_PREFIX } from '../identity/secrets.js'
import { SERVER_LIMITS } from '../limits.js'

/** What a client's token proves. */
export interface TokenCheck {
  /** Whether the client was ever given a token. */
  known: boolean
  /** Whether it presents a valid one. */
  matches: boolean
}

/**
 * The tokens with which clients return to their paused sessions. Each registration makes a new one. A token stays valid until a
 * newer one is presented: it may be lost on the way to the client, and the registration of an old connection may arrive after that of a new one.
 * Only hashes are stored.
 */
export class ResumeTokens {
  readonly #store: ClientStore

  constructor(store: ClientStore) {
    this.#store = store
  }

  /**
   * Makes a new token. Settles once it is recorded. The caller must not issue two for one client at once.
   * @param shown the token that the client registered with; earlier ones become invalid, or all of them if it is not valid
   * @throws AipError `STORE_FAILED`
   */
  async issue(clientId: string, shown: string | null): Promise<string> {
    const token = `${TOKEN_PREFIX}${randomBytes(32).toString('base64url')}`
    const known = await this.#store.tokens(clientId)
    const place = shown === null ? -1 : known.indexOf(digest(shown))
    const kept = place < 0 ? [] : [...known.slice(place, place + 1), ...known.slice(place + 1).slice(-SERVER_LIMITS.newerTokens)]
    await this.#store.saveTokens(clientId, [...kept, digest(token)])
    return token
  }

  /** Checks the token that a client presents. @throws AipError `STORE_FAILED` */
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
