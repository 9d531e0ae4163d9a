import type { TextEncoding } from './text-encoding.js'

/** Which part of a text is wanted: lines, or bytes of the file. */
export interface WantedPart {
  /** Counted from 1. */
  startLine?: number | undefined
  lineCount?: number | undefined
  offset?: number | undefined
  /** Bytes at most; only a first line may be longer. */
  length: number
}

/** A part of a text, and where it is in the file, in bytes. */
export interface TextPart {
  content: string
  offset: number
  bytes: number
  nextLine?: number
}

/** A part of the text of a file that is not UTF-8. */
export function partOfText(text: string, encoding: TextEncoding, wanted: WantedPart): TextPart {
  const { startLine = 1, lineCount, offset = 0, length } = wanted
  const byLine = wanted.startLine !== undefined || lineCount !== undefined
  const mark = encoding.mark.length
  const start = byLine ? lineStart(text, startLine) : indexAt(text, encoding, 0, offset - mark)
  const { end, line } = byLine
    ? lineEnd(text, encoding, { start, line: startLine, count: lineCount ?? Infinity, length })
    : { end: indexAt(text, encoding, start, length), line: undefined }
  const content = text.slice(start, end)
  const before = start === 0 ? 0 : mark + encoding.width(text.slice(0, start))
  return {
    content,
    offset: before,
    bytes: encoding.width(content) + (start === 0 ? mark : 0),
    ...(line === undefined || end >= text.length ? {} : { nextLine: line }),
  }
}

/** Where a line starts; the end of the text if it has fewer. */
function lineStart(text: string, wanted: number): number {
  let at = 0
  for (let line = 1; line < wanted; line += 1) {
    const found = text.indexOf('\n', at)
    if (found < 0) return text.length
    at = found + 1
  }
  return at
}

function lineEnd(
  text: string,
  encoding: TextEncoding,
  { start, line: first, count, length }: { start: number; line: number; count: number; length: number },
): { end: number; line: number } {
  let [end, line, left] = [start, first, length]
  while (line - first < count && end < text.length) {
    const found = text.indexOf('\n', end)
    const next = found < 0 ? text.length : found + 1
    left -= encoding.width(text.slice(end, next))
    if (left < 0 && end > start) break
    // A first line that is too long is cut, like everywhere.
    if (left < 0) return { end: indexAt(text, encoding, start, length), line: first }
    end = next
    line += 1
  }
  return { end, line }
}

/** The place behind as many whole characters as fit into so many bytes. */
function indexAt(text: string, encoding: TextEncoding, start: number, bytes: number): number {
  let [at, left] = [start, bytes]
  while (at < text.length) {
    const char = String.fromCodePoint(text.codePointAt(at) ?? 0)
    left -= encoding.width(char)
    if (left < 0) return at
    at += char.length
  }
  return at
}
