import { stripVTControlCharacters, styleText } from 'node:util'
import { visibleText } from '@orrery/aip'

/** A colour or weight of `styleText`. */
export type Style = Extract<Parameters<typeof styleText>[0], string>

/** What can be written as one line: a string is data and has no effect on the terminal; only {@link Painted} has colours. */
export type Line = string | Painted

interface Part {
  text: string
  styles: readonly Style[]
}

/**
 * A text with colours. It is an object, not a string, so that no text of a device can be one: whatever is a string becomes harmless when it
 * is written, and the colours are added after that.
 */
export class Painted {
  readonly parts: readonly Part[]

  constructor(parts: readonly Part[]) {
    this.parts = parts
  }
}

/** Gives a text a colour or weight, which is shown if the stream is a terminal and NO_COLOR is not set. */
export function paint(style: Style, line: Line): Painted {
  return new Painted(partsOf(line).map(({ text, styles }) => ({ text, styles: [style, ...styles] })))
}

/** A template with colours: what is put into it stays on one line, its own line breaks are kept. */
export function painted(own: TemplateStringsArray, ...values: readonly (Line | number)[]): Painted {
  return new Painted(
    own.flatMap((text, index) => {
      const value = values[index]
      const rest = value === undefined ? [] : partsOf(typeof value === 'number' ? String(value) : value)
      return [{ text, styles: [] }, ...rest]
    }),
  )
}

/** Lines as one text. */
export function joined(lines: readonly Line[], between: string): Painted {
  return new Painted(lines.flatMap((line, index) => [...(index === 0 ? [] : [{ text: between, styles: [] }]), ...partsOf(line)]))
}

/** Returns a line as a stream gets it. */
export function rendered(line: Line, stream: NodeJS.WritableStream): string {
  const parts = typeof line === 'string' ? partsOf(line) : line.parts
  return parts
    .map(({ text, styles }) => (styles.length === 0 ? harmless(text) : styleText([...styles], harmless(text), { stream })))
    .join('')
}

/** Returns a line without its colours. */
export function plain(line: Line): string {
  return (typeof line === 'string' ? partsOf(line) : line.parts).map(({ text }) => harmless(text)).join('')
}

/** Returns a text that cannot control a terminal: without escape sequences, and with what else is invisible as escapes; its lines stay. */
export function harmless(text: string): string {
  return visibleText(stripVTControlCharacters(text).replaceAll(/\r\n?/g, '\n'))
}

/** Returns a text on one line that cannot control a terminal. */
export function singleLine(text: string): string {
  const line = stripVTControlCharacters(text)
    .replaceAll(/[\p{Cc}\s]+/gu, ' ')
    .trim()
  return visibleText(line)
}

/** Data on one line; unlike {@link singleLine} it keeps spaces, which may align columns. */
function partsOf(line: Line): readonly Part[] {
  if (typeof line !== 'string') return line.parts
  return [{ text: harmless(line).replaceAll(/[\n\t]/g, ' '), styles: [] }]
}
