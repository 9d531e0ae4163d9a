import { SERVER_LIMITS } from '../limits.js'

/** The places of clients that have shown a key and not registered yet: so many in all, from one address, with one key, and of both. */
export class WaitingPlaces {
  readonly #taken = new Map<string, number>()

  /**
   * Takes a place.
   * @param key a name of the key
   * @returns frees it, once however often it is called; null if there is none
   */
  take(address: string, key: string): (() => void) | null {
    const counted: [string, number][] = [
      ['all', SERVER_LIMITS.unregistered],
      [`key ${key}`, SERVER_LIMITS.unregisteredPerKey],
      [`address ${address}`, SERVER_LIMITS.unregisteredPerAddress],
      [`key ${key} address ${address}`, SERVER_LIMITS.unregisteredPerKeyAndAddress],
    ]
    if (counted.some(([name, most]) => this.#count(name) >= most)) return null
    for (const [name] of counted) this.#taken.set(name, this.#count(name) + 1)
    let held = true
    return () => {
      if (!held) return
      held = false
      for (const [name] of counted) {
        const left = this.#count(name) - 1
        if (left === 0) this.#taken.delete(name)
        else this.#taken.set(name, left)
      }
    }
  }

  #count(name: string): number {
    return this.#taken.get(name) ?? 0
  }
}
