/** Keys shorter than this, such as the `none` that some model endpoints require, are not secret and may be ordinary words. */
const SHORTEST = 8
/** What replaces a secret. */
const REMOVED = '[key]'
/** Keys and tokens that Orrery makes say by their beginning what they are. */
const RECOGNISABLE = /\bor[rt]_[\w-]{20,}/g

/** The beginning of each resume token, by which it is recognised wherever it turns up. */
export const TOKEN_PREFIX = 'ort_'

/** The secrets of a server, which must not reach a model, an event or a log. */
export class Secrets {
  readonly #keys: readonly string[]

  /** @param keys those of operators, devices and models; null and undefined for one that is not set */
  constructor(keys: readonly (string | null | undefined)[]) {
    const set = keys.filter((key) => key !== null && key !== undefined && key.length >= SHORTEST)
    // A key that contains another one goes first.
    this.#keys = [...new Set(set)].filter((key) => key !== undefined && key !== null).sort((a, b) => b.length - a.length)
  }

  /** Returns a text without the keys, and without whatever is recognisable as a key or token of Orrery. */
  removedFrom(text: string): string {
    let clean = text
    for (const key of this.#keys) clean = clean.replaceAll(key, REMOVED)
    return clean.replaceAll(RECOGNISABLE, REMOVED)
  }
}
