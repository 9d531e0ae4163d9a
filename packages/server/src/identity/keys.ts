import { hash, timingSafeEqual } from 'node:crypto'
import { DEVICE_KEY, OPERATOR, type Principal } from './principal.js'

/** The two keys of a server, compared in constant time and never logged. */
export class Keys {
  readonly #operator: Buffer
  readonly #device: Buffer

  constructor(keys: { operatorKey: string; deviceKey: string }) {
    this.#operator = digest(keys.operatorKey)
    this.#device = digest(keys.deviceKey)
  }

  /** Returns whose key this is, or null if it is wrong or missing. */
  principalOf(key: string | null | undefined): Principal | null {
    if (key === null || key === undefined || key === '') return null
    const given = digest(key)
    const operator = timingSafeEqual(given, this.#operator)
    const device = timingSafeEqual(given, this.#device)
    if (operator) return OPERATOR
    return device ? DEVICE_KEY : null
  }
}

/** Digests have one length, which the comparison needs. */
function digest(key: string): Buffer {
  return hash('sha256', key, 'buffer')
}
