import { once } from 'node:events'
import { visibleText } from '@orrery/aip'
import { harmless, rendered, type Line } from './painted.js'

// The only file that writes to the terminal; the linter refuses it elsewhere.

/** Lines that wait while a question is on the screen; more are counted alone. */
const MOST_HELD = 1000
let held: { stream: NodeJS.WritableStream; text: string }[] | null = null
let dropped = 0

/** Holds back what is written, except for what is written `now`. @returns writes it */
export function holdOutput(): () => void {
  held = []
  const release = (): void => {
    process.off('exit', release)
    const lines = held ?? []
    held = null
    for (const { stream, text } of lines) stream.write(text)
    if (dropped > 0) note(`${dropped} more lines were written meanwhile and are left out`)
    dropped = 0
  }
  process.once('exit', release)
  return release
}

/** Writes a line to stdout. */
export function print(line: Line = ''): void {
  writeLine(process.stdout, line)
}

/** Writes a line to stderr, where it does not mix with results. @param when `now`: also while other output is held back */
export function note(line: Line = '', when: 'in order' | 'now' = 'in order'): void {
  const text = `${rendered(line, process.stderr)}\n`
  if (when === 'now') process.stderr.write(text)
  else write(process.stderr, text)
}

/** Writes a line. */
export function writeLine(stream: NodeJS.WritableStream, line: Line): void {
  write(stream, `${rendered(line, stream)}\n`)
}

/** Writes a text without a line break after it. */
export function writePart(stream: NodeJS.WritableStream, line: Line): void {
  write(stream, rendered(line, stream))
}

/** Writes a JSON document to stdout. */
export function printJson(value: unknown): void {
  write(process.stdout, `${visibleText(JSON.stringify(value, null, 2))}\n`)
}

/** Writes a JSON document on one line to stdout. */
export function printJsonLine(value: unknown): void {
  write(process.stdout, `${visibleText(JSON.stringify(value))}\n`)
}

/** Writes a result: a string as it is, or harmless on a terminal; nothing for null, everything else as JSON. */
export function printValue(value: unknown): void {
  if (value === null || value === undefined || value === '') return
  if (typeof value === 'string') write(process.stdout, ended(process.stdout.isTTY ? harmless(value) : value))
  else printJson(value)
}

/**
 * Writes what a program on a device printed, or other bytes: as they are on a pipe, as a harmless text that ends with a line break on a terminal.
 * @param output UTF-8, where it is bytes
 */
export function printOutput(stream: NodeJS.WriteStream, output: string | Uint8Array): void {
  if (output.length === 0) return
  if (!stream.isTTY) writeBytes(stream, output)
  else write(stream, ended(harmless(typeof output === 'string' ? output : Buffer.from(output).toString())))
}

/** Writes a piece of a file to stdout, as {@link printOutput}. Settles once the next one may follow. */
export async function printPiece(piece: Uint8Array): Promise<void> {
  printOutput(process.stdout, piece)
  if (process.stdout.writableNeedDrain) await once(process.stdout, 'drain')
}

/** What switches to another screen, as editors do, with `h`, and back with `l`. */
const OTHER_SCREEN = '\u001B[?1049'
/** Whether a terminal of a device has switched to its other screen. */
let onOtherScreen = false

/**
 * Writes what an interactive terminal on a device shows, as it is: the user has opened that terminal, and it controls this one as in ssh. Settles once
 * more may follow.
 */
export async function writeScreen(bytes: Uint8Array): Promise<void> {
  const shown = Buffer.from(bytes)
  const [to, back] = ['h', 'l'].map((end) => shown.lastIndexOf(`${OTHER_SCREEN}${end}`))
  if (to !== back) onOtherScreen = (to ?? -1) > (back ?? -1)
  process.stdout.write(bytes)
  if (process.stdout.writableNeedDrain) await once(process.stdout, 'drain')
}

/** Undoes what a program that was cut off leaves behind: the other screen, a hidden cursor, colours, reports of mouse and paste. */
export function restoreScreen(): void {
  if (!process.stdout.isTTY) return
  const modes = [1000, 1002, 1003, 1006, 2004].map((mode) => `\u001B[?${mode}l`).join('')
  process.stdout.write(`${onOtherScreen ? `${OTHER_SCREEN}l` : ''}${modes}\u001B[?25h\u001B[0m`)
  onOtherScreen = false
}

/** Writes lines of another process, such as the error of a tool, to stderr. */
export function noteText(text: string): void {
  write(process.stderr, ended(harmless(text)))
}

/** Writes the program's own help, which has its colours already. */
export function writeHelp(stream: NodeJS.WritableStream, text: string): void {
  write(stream, text)
}

/** Rings the bell of the terminal. */
export function ringBell(): void {
  if (process.stderr.isTTY) process.stderr.write('\u0007')
}

/** Clears the current line of a terminal. */
export function clearLine(stream: NodeJS.WritableStream): void {
  write(stream, '\r\u001B[2K')
}

/** Moves the cursor to the left. @param columns how far */
export function moveBack(stream: NodeJS.WritableStream, columns: number): void {
  if (columns > 0) write(stream, `\u001B[${columns}D`)
}

/** Returns where readline shows what the user types. */
export function echo(): NodeJS.WritableStream {
  return process.stderr
}

function writeBytes(stream: NodeJS.WritableStream, bytes: string | Uint8Array): void {
  if (typeof bytes === 'string') write(stream, bytes)
  else stream.write(bytes)
}

function write(stream: NodeJS.WritableStream, text: string): void {
  if (held === null) stream.write(text)
  else if (held.length < MOST_HELD) held.push({ stream, text })
  else dropped += 1
}

function ended(text: string): string {
  return text.endsWith('\n') ? text : `${text}\n`
}
