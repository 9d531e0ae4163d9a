/** Commands that the policy has let through although the strict shell's own list does not have them, while they run. */
export class Permits {
  readonly #granted = new Map<string, number>()

  /** Lets a command through. @returns takes that back */
  grant(argv: readonly string[], cwd: string): () => void {
    const key = keyOf(argv, cwd)
    this.#granted.set(key, (this.#granted.get(key) ?? 0) + 1)
    return () => {
      const left = (this.#granted.get(key) ?? 1) - 1
      if (left > 0) this.#granted.set(key, left)
      else this.#granted.delete(key)
    }
  }

  /** Returns whether exactly this command in exactly this folder was let through. */
  has(argv: readonly string[], cwd: string): boolean {
    return this.#granted.has(keyOf(argv, cwd))
  }
}

function keyOf(argv: readonly string[], cwd: string): string {
  return JSON.stringify([cwd, ...argv])
}
