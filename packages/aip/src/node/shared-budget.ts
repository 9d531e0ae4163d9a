/** Something that keeps data for a peer: what the peer has not taken yet, or has not finished sending. */
export interface Holder {
  /** Lets go of the peer. */
  drop(): void
}

/** The memory that all connections together may hold for one purpose. Above it, the one that holds most is dropped. */
export class SharedBudget {
  readonly #limit: number
  readonly #held = new Map<Holder, number>()
  #total = 0

  /** @param limit bytes */
  constructor(limit: number) {
    this.#limit = limit
  }

  /** Notes how much a connection holds now, in bytes; 0 once it has ended. */
  holds(holder: Holder, bytes: number): void {
    const before = this.#held.get(holder) ?? 0
    if (before === bytes) return
    this.#total += bytes - before
    if (bytes === 0) this.#held.delete(holder)
    else this.#held.set(holder, bytes)
    if (bytes > before && this.#total > this.#limit) this.#dropLargest()
  }

  #dropLargest(): void {
    let largest: [Holder, number] | null = null
    for (const entry of this.#held) if (largest === null || entry[1] > largest[1]) largest = entry
    if (largest === null) return
    this.#total -= largest[1]
    this.#held.delete(largest[0])
    largest[0].drop()
  }
}
