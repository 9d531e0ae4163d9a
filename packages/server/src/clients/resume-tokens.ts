import { hash, timingSafeEqual } from 'node:crypto'
import type { Clock } from '@orrery/aip'
import { newToken } from '../identity/new-token.js'
import { TOKEN_PREFIX } from '../identity/secrets.js'
import type { ClientKey, ClientStore } from '../store/client-store.js'
import { SERVER_LIMITS } from '../limits.js'

/** What a client's token proves. */
export interface TokenCheck {
  /** Whether a client of this id was given a token. */
  known: boolean
  /** Whether it presents a valid one. */
  matches: boolean
  /** When the holder of the tokens got the first one, in milliseconds since the epoch; 0 if it had no predecessor. */
  since: number
}

/** A token for a client. */
export interface NewToken {
  token: string
  /** To be called once the confirmation with the token is written to the socket. Settles when the token is recorded. */
  written: () => Promise<void>
}

/**
 * The tokens with which clients return to their ids and their paused sessions. Each registration makes a new one. A token stays valid until a
 * newer one is presented: it may be lost on the way to the client, and the registration of an old connection may arrive after that of a new one.
 * The first token of a client counts only when it is on its way, or a lost confirmation would lock the client out. Only hashes are stored.
 */
export class ResumeTokens {
  readonly #store: ClientStore
  readonly #clock: Clock

  constructor(store: ClientStore, clock: Clock) {
    this.#store = store
    this.#clock = clock
  }

  /**
   * Makes a new token; one that follows another is recorded when this settles. The caller must not issue two for one client at once.
   * @param shown the token that the client registered with; earlier ones become invalid, or all of them if it is not valid
   * @throws AipError `STORE_FAILED`
   */
  async issue(client: ClientKey, shown: string | null): Promise<NewToken> {
    const token = TOKEN_PREFIX + newToken()
    const known = await this.#store.tokens(client)
    const hashes = known?.hashes ?? []
    const place = shown === null ? -1 : hashes.indexOf(digest(shown))
    if (place < 0) {
      const since = hashes.length === 0 ? 0 : this.#clock.now()
      return { token, written: () => this.#store.saveTokens(client, { hashes: [digest(token)], since }) }
    }
    const kept = [...hashes.slice(place, place + 1), ...hashes.slice(place + 1).slice(-SERVER_LIMITS.newerTokens)]
    await this.#store.saveTokens(client, { hashes: [...kept, digest(token)], since: known?.since ?? 0 })
    return { token, written: () => Promise.resolve() }
  }

  /** Checks the token that a client presents. @throws AipError `STORE_FAILED` */
  async check(client: ClientKey, token: string | null): Promise<TokenCheck> {
    const { hashes, since } = (await this.#store.tokens(client)) ?? { hashes: [], since: 0 }
    const shown = token === null ? null : Buffer.from(digest(token))
    return {
      known: hashes.length > 0,
      matches: shown !== null && hashes.some((known) => timingSafeEqual(Buffer.from(known), shown)),
      since,
    }
  }

  /** Frees the id of a device: the next one that registers under it may have it. @returns whether it had a token @throws AipError `STORE_FAILED` */
  async forget(deviceId: string): Promise<boolean> {
    const client = { clientId: deviceId, clientType: 'device' } as const
    const { known } = await this.check(client, null)
    if (known) await this.#store.deleteTokens(client)
    return known
  }
}

function digest(token: string): string {
  return hash('sha256', token)
}
