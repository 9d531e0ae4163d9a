import { shortened } from './cut-text.js'
import { LIMITS } from './limits.js'

/** One error: its text, and when it is reported. `P` are the values that the text needs: none, or one object. */
export interface ErrorEntry<P extends [] | [object] = never> {
  /** What the peer or the user reads. */
  text: (...values: P) => string
  /** One line for the reference. */
  doc: string
}

/** Errors by their codes. */
export type ErrorEntries = Readonly<Record<string, ErrorEntry>>

type Values<Entry> = Entry extends { text: (...values: infer V) => string } ? V : never

/** A table of errors, and what is made of it. */
export interface ErrorTable<E extends ErrorEntries> {
  entries: E
  /** Makes an error. @param values what the text of this code needs; nothing for a fixed text */
  make: <C extends keyof E & string>(code: C, ...values: Values<E[C]>) => AipError<C>
  /** Returns the text of an error, for places that carry only text, such as a result. */
  text: <C extends keyof E & string>(code: C, ...values: Values<E[C]>) => string
  /**
   * Returns the error that a text of a peer stands for: on the wire only the text travels. Of texts with values it matches what is
   * around them.
   * @param codes those that are looked for
   * @returns undefined if the text is none of theirs
   */
  ofText: <C extends keyof E & string>(text: string, codes: readonly C[]) => AipError<C> | undefined
  /** Returns whether something that was thrown is an error with one of these codes. */
  is: <C extends keyof E & string>(thrown: unknown, ...codes: readonly C[]) => thrown is AipError<C>
}

/** Describes one error. */
export function entry<P extends [] | [object] = []>(doc: string, text: (...values: P) => string): ErrorEntry<P> {
  return { doc, text }
}

/** Declares the errors of a package. */
export function defineErrors<const E extends ErrorEntries>(entries: E): ErrorTable<E> {
  const textOf = <C extends keyof E & string>(code: C, ...values: Values<E[C]>): string => {
    const text = entries[code]?.text as (...v: Values<E[C]>) => string
    return clip(text(...(values.map(withShownNames) as Values<E[C]>)))
  }
  return {
    entries,
    make: (code, ...values) => new AipError(code, textOf(code, ...values)),
    text: textOf,
    ofText: (text, codes) => {
      const code = codes.find((each) => isTextOf(entries[each], text))
      return code === undefined ? undefined : new AipError(code, text)
    },
    is: <C extends keyof E & string>(thrown: unknown, ...codes: readonly C[]): thrown is AipError<C> =>
      thrown instanceof AipError && codes.some((code) => code === thrown.code),
  }
}

/** An error of a table. Its `message` may be shown to a peer; its `code` is what programs look at. */
export class AipError<Code extends string = string> extends Error {
  override readonly name = 'AipError'
  readonly code: Code

  constructor(code: Code, message: string, options?: ErrorOptions) {
    super(clip(message), options)
    this.code = code
  }
}

/** Values of errors that a peer chose: what they name may not exist, so nothing has checked them. */
const CHOSEN: ReadonlySet<string> = new Set(['id', 'value', 'platform'])

function withShownNames(values: unknown): unknown {
  if (typeof values !== 'object' || values === null) return values
  return Object.fromEntries(
    Object.entries(values).map(([key, value]: [string, unknown]) => [
      key,
      typeof value === 'string' && CHOSEN.has(key) ? shownName(value) : value,
    ]),
  )
}

function isTextOf(entry: ErrorEntry | undefined, text: string): boolean {
  const hole = '\0'
  const values: Record<string, never> = new Proxy({}, { get: () => hole })
  const build = entry?.text as (v: Record<string, never>) => string
  const parts = build(values).split(hole)
  let at = 0
  for (const part of parts) {
    const found = text.indexOf(part, at)
    if (found < 0 || (at === 0 && found > 0)) return false
    at = found + part.length
  }
  return text.endsWith(parts.at(-1) ?? '')
}

/** Cuts a text to `LIMITS.errorText`, never within a character. */
export function clip(text: string): string {
  // A character has at most three bytes for each of its code units.
  if (text.length * 3 <= LIMITS.errorText || encoder.encodeInto(text, whole).read === text.length) return text.toWellFormed()
  return `${text.slice(0, encoder.encodeInto(text, cut).read).toWellFormed()}${ELLIPSIS}`
}

const ELLIPSIS = '…'
const encoder = new TextEncoder()
const whole = new Uint8Array(LIMITS.errorText)
const cut = whole.subarray(0, LIMITS.errorText - encoder.encode(ELLIPSIS).length)

/**
 * Returns a name that a peer chose, for an error text: what is not in the alphabet of ids is replaced, so that an error repeats no
 * markup and no control characters, and what is long is cut.
 */
export function shownName(text: string): string {
  return shortened(text, LIMITS.shownName + 1).replaceAll(/[^\w.@:/ …-]/g, '?')
}

/** The text of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  // Node's error of a name with several addresses, none of which answers, has its texts only inside.
  if (thrown instanceof AggregateError && thrown.message === '') return thrown.errors.map(messageOf).join('; ')
  return thrown instanceof Error ? thrown.message : String(thrown)
}
