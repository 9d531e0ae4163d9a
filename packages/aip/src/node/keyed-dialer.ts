import { isAipError } from '../errors.js'
import { parseUrl } from '../parse-url.js'
import { isOwnRefusal } from './own-refusal.js'
import type { ServerTrust } from './server-trust.js'
import type { WebSocketSettings } from './websocket-settings.js'
import { WebSocketTransport } from './websocket-transport.js'

/** What arrives in a header as it was sent. */
const HEADER_TEXT = /^[!-~]+(?: +[!-~]+)*$/

/**
 * Dials one server with a key. The key goes into the header first; only a server that refuses that gets it in its address, and only while no
 * attempt has succeeded with the header.
 */
export class KeyedDialer {
  /** The ways that may work, best first; one that has worked is the only one left. */
  #ways: readonly KeyedAddress[]

  /** @param url `ws://` or `wss://`, with the key, if there is one, as `?token=` */
  constructor(url: string) {
    const header = withKeyInHeader(url)
    this.#ways = header.headers === undefined ? [header] : [header, { url }]
  }

  /** @throws AipError `UNAUTHORIZED` if the server refuses the key, otherwise `CONNECT_FAILED` */
  async connect(
    settings: Partial<WebSocketSettings> & { signal?: AbortSignal; trust?: ServerTrust | undefined },
  ): Promise<WebSocketTransport> {
    let refusal: unknown
    for (const way of this.#ways) {
      try {
        const transport = await WebSocketTransport.connect(way.url, { ...settings, ...(way.headers && { headers: way.headers }) })
        this.#ways = [way]
        return transport
      } catch (error) {
        // A server of Orrery reads the header: the key in its address would only be seen by others.
        if (!isAipError(error, 'UNAUTHORIZED') || isOwnRefusal(error)) throw error
        refusal = error
      }
    }
    throw refusal
  }
}

/** An address as it is dialled. */
export interface KeyedAddress {
  url: string
  headers?: Record<string, string>
}

/**
 * Moves the key of an address from its query into a header. An address without a key stays as it is, and so does one whose key a header cannot hold,
 * or which has a user, whose header it would be.
 */
export function withKeyInHeader(url: string): KeyedAddress {
  const parsed = parseUrl(url)
  // Of several keys the last counts, as it does for servers.
  const key = parsed?.searchParams.getAll('token').at(-1)
  if (parsed === null || key === undefined || !HEADER_TEXT.test(key) || parsed.username !== '') return { url }
  parsed.searchParams.delete('token')
  return { url: parsed.href, headers: { authorization: `Bearer ${key}` } }
}
