import { endOf, shortened, startOf } from '@orrery/aip'

/** Encloses a text of others for one prompt: without secrets, between marks. */
export type Enclose = (text: string) => string

/**
 * A text that others wrote: a device, a program, a page, a file. It is not a string, so that it reaches a model in one way only: enclosed, as data.
 */
export class Untrusted {
  readonly #text: string

  constructor(text: string) {
    // Strict endpoints refuse a request that has half a character in it.
    this.#text = text.toWellFormed()
  }

  /** Its length in characters. */
  get length(): number {
    return this.#text.length
  }

  /** Returns its beginning and its end, with a note of how much is missing between them. @param length characters that are left, roughly */
  shortened(length: number): Untrusted {
    const text = this.#text
    if (text.length <= length) return this
    const head = Math.floor(length * 0.6)
    const tail = Math.floor(length * 0.3)
    const note = `[… ${text.length - head - tail} characters left out …]`
    return new Untrusted(`${startOf(text, head)}\n${note}\n${endOf(text, tail)}`)
  }

  /** Returns its beginning as one line. @param length characters that are left */
  line(length: number): Untrusted {
    return new Untrusted(shortened(this.#text.replaceAll(/\s+/g, ' '), length))
  }

  /** Returns whether another text is in it, however its letters are enclosed and escaped. */
  has(text: string): boolean {
    const sought = lettersOf(text)
    return sought !== '' && lettersOf(this.#text).includes(sought)
  }

  /** Returns what a model reads. */
  enclosed(enclose: Enclose): string {
    return enclose(this.#text)
  }

  /** Returns texts one below the other; those that are empty are left out. */
  static lines(texts: readonly (string | Untrusted)[]): Untrusted {
    return Untrusted.#joined(texts, '\n')
  }

  /** Returns texts as one line. */
  static words(texts: readonly (string | Untrusted)[]): Untrusted {
    return Untrusted.#joined(texts, '')
  }

  static #joined(texts: readonly (string | Untrusted)[], between: string): Untrusted {
    const all = texts.map((text) => (typeof text === 'string' ? text : text.#text))
    return new Untrusted(all.filter((text) => text !== '').join(between))
  }
}

function lettersOf(text: string): string {
  return text.replaceAll(/\\+[nrt]/g, '').replaceAll(/[^\p{L}\p{N}]/gu, '')
}
