/** Keeps the head and the tail of a stream, so that a long output costs a fixed amount of memory. */
export class CappedOutput {
  readonly #limit: number
  readonly #head: Buffer[] = []
  #headBytes = 0
  #tail: Buffer[] = []
  #tailBytes = 0
  #total = 0

  /** @param limit bytes that are kept, half of them from the start */
  constructor(limit: number) {
    this.#limit = limit
  }

  /** Whether something was left out. */
  get truncated(): boolean {
    return this.#total > this.#limit
  }

  add(chunk: Buffer): void {
    this.#total += chunk.length
    const half = Math.ceil(this.#limit / 2)
    const room = half - this.#headBytes
    if (room > 0) {
      const first = chunk.subarray(0, room)
      this.#head.push(first)
      this.#headBytes += first.length
    }
    const rest = chunk.subarray(Math.max(0, room))
    if (rest.length === 0) return
    this.#tail.push(rest)
    this.#tailBytes += rest.length
    // Joined only from time to time, so that many small chunks stay cheap.
    if (this.#tailBytes > this.#limit * 2) this.#cutTail()
  }

  /** What was kept; between head and tail a line says how much is missing. */
  text(): string {
    this.#cutTail()
    if (!this.truncated) return Buffer.concat([...this.#head, ...this.#tail]).toString()
    const missing = this.#total - this.#headBytes - this.#tailBytes
    return `${Buffer.concat(this.#head).toString()}\n… ${missing} bytes left out …\n${Buffer.concat(this.#tail).toString()}`
  }

  #cutTail(): void {
    const room = Math.floor(this.#limit / 2)
    const joined = Buffer.concat(this.#tail)
    // A copy, so that the large buffer can be freed.
    const kept = joined.length > room ? Buffer.from(joined.subarray(joined.length - room)) : joined
    this.#tail = [kept]
    this.#tailBytes = kept.length
  }
}
