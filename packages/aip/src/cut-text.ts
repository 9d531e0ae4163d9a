/** Replaces what was cut off at the end of a text. */
const ELLIPSIS = '…'
const HIGH_HALF = /[\uD800-\uDBFF]$/
const LOW_HALF = /^[\uDC00-\uDFFF]/

/**
 * Returns the beginning of a text, never with half a character: a cut falls between characters, and halves that the text has already
 * become U+FFFD, because strict readers of JSON refuse a message with one.
 * @param length code units at most
 */
export function startOf(text: string, length: number): string {
  if (text.length <= length) return text.toWellFormed()
  return text.slice(0, Math.max(length, 0)).replace(HIGH_HALF, '').toWellFormed()
}

/** Returns the end of a text, in the same way as {@link startOf}. @param length code units at most */
export function endOf(text: string, length: number): string {
  if (text.length <= length) return text.toWellFormed()
  return text
    .slice(text.length - Math.max(length, 0))
    .replace(LOW_HALF, '')
    .toWellFormed()
}

/** Returns a text, or its beginning with an ellipsis if it is longer. @param length code units at most, the ellipsis included */
export function shortened(text: string, length: number): string {
  return text.length <= length ? text.toWellFormed() : `${startOf(text, length - ELLIPSIS.length)}${ELLIPSIS}`
}
