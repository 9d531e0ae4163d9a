/** Something that sends, and holds what its reader has not taken yet. */
export interface Sender {
  /** Lets go of a reader that is too slow. */
  drop(): void
}

/** What all connections together hold because their readers are slow. Above the limit, the one that holds most is dropped. */
export class UnsentBudget {
  readonly #limit: number
  readonly #held = new Map<Sender, number>()
  #total = 0

  /** @param limit bytes */
  constructor(limit: number) {
    this.#limit = limit
  }

  /** Notes how much a connection holds now, in bytes; 0 once it has ended. */
  holds(sender: Sender, bytes: number): void {
    const before = this.#held.get(sender) ?? 0
    if (before === bytes) return
    this.#total += bytes - before
    if (bytes === 0) this.#held.delete(sender)
    else this.#held.set(sender, bytes)
    if (bytes > before && this.#total > this.#limit) this.#dropSlowest()
  }

  #dropSlowest(): void {
    let slowest: [Sender, number] | null = null
    for (const entry of this.#held) if (slowest === null || entry[1] > slowest[1]) slowest = entry
    if (slowest === null) return
    this.#total -= slowest[1]
    this.#held.delete(slowest[0])
    slowest[0].drop()
  }
}
