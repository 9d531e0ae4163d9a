/** What a run has tried, and what was wrong. */
export class Findings {
  readonly #found: string[] = []
  readonly #counts = new Map<string, number>()

  /** Counts one attempt. @param kind of what was tried */
  tried(kind: string, count = 1): void {
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + count)
  }

  /** Notes something that must not happen. */
  add(kind: string, text: string): void {
    if (this.#found.length < 100) this.#found.push(`${kind}: ${text.slice(0, 2000)}`)
  }

  get found(): readonly string[] {
    return this.#found
  }

  get counts(): ReadonlyMap<string, number> {
    return this.#counts
  }
}
