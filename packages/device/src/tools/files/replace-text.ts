/** What a replacement gives. */
export interface Replaced {
  text: string
  /** How often the old text was there. */
  count: number
}

/**
 * Replaces a text in another. Line ends are the file's affair: where it has one kind of them, what is put in gets that kind, and an old text that
 * is not there as it is, is looked for with that kind. In a file with both kinds every character counts.
 */
export function replaceText(content: string, oldText: string, newText: string): Replaced {
  const kind = lineEndOf(content)
  // An edit that only changes line ends means them as they are.
  if (kind === null || withEnds(oldText, '\n') === withEnds(newText, '\n')) return replaceAll(content, oldText, newText)
  const fitting = withEnds(newText, kind)
  const exact = replaceAll(content, oldText, fitting)
  return exact.count > 0 ? exact : replaceAll(content, withEnds(oldText, kind), fitting)
}

function replaceAll(content: string, oldText: string, newText: string): Replaced {
  const parts = content.split(oldText)
  return { text: parts.join(newText), count: parts.length - 1 }
}

/** The one line end of a text; null if it has none or several kinds. */
function lineEndOf(text: string): '\n' | '\r\n' | null {
  const kinds = new Set(text.match(/\r\n|\n|\r/g))
  const [kind] = kinds
  return kinds.size === 1 && (kind === '\n' || kind === '\r\n') ? kind : null
}

function withEnds(text: string, end: '\n' | '\r\n'): string {
  return text.replaceAll(/\r?\n/g, end)
}
