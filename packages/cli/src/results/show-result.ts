import { writeFile } from 'node:fs/promises'
import { messageOf } from '@orrery/aip'
import { usageError } from '../terminal/errors.js'
import { byteCount } from '../terminal/format.js'
import { paint, painted, singleLine } from '../terminal/painted.js'
import { details, table } from '../terminal/table.js'
import { note, print, printJson, printOutput, printValue } from '../terminal/write.js'
import type { Media } from './media.js'
import { endInWords, type ProgramOutcome } from './program-outcome.js'
import { resultParts, type ResultPart } from './result-parts.js'

/** How a result is shown. */
export interface ShowOptions {
  /** File for pictures and other bytes, or for the text if there are none; `-` is stdout. */
  out?: string | undefined
  /** Why a program's end is a failure, in the words of its device. */
  reason?: string | null
  /** How the user gets the bytes of this result into a file later. */
  saveWith: string
}

/**
 * Shows the result of a tool or of a session as text: what a program printed, the contents of a file, a list as a table. Bytes go to a file.
 * @throws {CliError} if the file cannot be written
 */
export async function showResult(value: unknown, options: ShowOptions): Promise<void> {
  const parts = resultParts(value)
  if (options.out !== undefined) return saveParts(parts, options.out)
  for (const part of parts) showPart(part, options)
}

/** Shows how a program ended, if not with 0. */
function noteEnd(program: ProgramOutcome, reason: string | null): void {
  for (const name of program.cut) note(paint('dim', `the middle of ${name} was left out`))
  const end = endInWords(program) === null ? null : (reason ?? endInWords(program))
  if (end !== null) note(paint('dim', singleLine(end)))
}

function showPart(part: ResultPart, { saveWith, reason }: ShowOptions): void {
  switch (part.kind) {
    case 'text':
      return printValue(part.text)
    case 'file':
      printOutput(process.stdout, part.text)
      if (part.more !== null) note(paint('dim', part.more))
      return
    case 'program':
      printOutput(process.stdout, part.program.stdout)
      printOutput(process.stderr, part.program.stderr)
      return noteEnd(part.program, reason ?? null)
    case 'table':
      return showTable(part.columns, part.rows)
    case 'fields':
      return showFields(part.fields)
    case 'media':
      return note(painted`${described(part.media)}; save it with: ${saveWith}`)
    case 'json':
      return printJson(part.value)
  }
}

function showTable(columns: readonly string[], rows: readonly Readonly<Record<string, unknown>>[]): void {
  const cells = rows.map((row) => columns.map((column) => inWords(row[column])))
  const names = columns.map((column) => singleLine(column).toUpperCase())
  for (const line of table(names, cells, columns.map((_, index) => index).toReversed())) print(line)
}

/** Names and values; a value of several lines comes below its name. */
function showFields(fields: Readonly<Record<string, unknown>>): void {
  const entries = Object.entries(fields).map(([name, value]) => [name, inWords(value)] as const)
  const short = entries.filter(([, text]) => !text.trimEnd().includes('\n'))
  // Of what is empty the name is shown too.
  if (short.length > 0)
    for (const line of details(short.map(([name, text]) => [name, text.trim() === '' ? '–' : text]))) print(line)
  for (const [name, text] of entries) {
    if (!text.trimEnd().includes('\n')) continue
    print()
    print(paint('dim', name))
    printValue(text)
  }
}

function inWords(value: unknown): string {
  if (value === null || value === undefined) return ''
  if (typeof value === 'string') return value
  if (Array.isArray(value) && value.every((each) => typeof each !== 'object')) return value.join(', ')
  return JSON.stringify(value)
}

function described({ bytes, type, path }: Media): string {
  return `${path === undefined ? '' : `${singleLine(path)}: `}${singleLine(type)}, ${byteCount(bytes.length)}`
}

/** Saves the bytes of a result, else its text. Of several, the second goes to `NAME-2.EXT`. */
async function saveParts(parts: readonly ResultPart[], out: string): Promise<void> {
  const media = parts.flatMap((part) => (part.kind === 'media' ? [part.media] : []))
  const saved = media.length > 0 ? media : [{ bytes: Buffer.from(textOf(parts)), type: 'text/plain' }]
  for (const [index, each] of saved.entries()) {
    if (out === '-') {
      if (process.stdout.isTTY && each.type !== 'text/plain')
        throw usageError(`These are bytes (${described(each)}): give a file, or redirect the output`)
      printOutput(process.stdout, each.bytes)
      continue
    }
    const file = index === 0 ? out : out.replace(/(\.[^./\\]*)?$/, `-${index + 1}$1`)
    try {
      await writeFile(file, each.bytes)
    } catch (error) {
      throw usageError(`Cannot write the file for --out: ${messageOf(error)}`, error)
    }
    note(`Saved ${file} (${singleLine(each.type)}, ${byteCount(each.bytes.length)})`)
  }
}

function textOf(parts: readonly ResultPart[]): string {
  return parts
    .map((part) => {
      if (part.kind === 'text' || part.kind === 'file') return part.text
      if (part.kind === 'program') return part.program.stdout
      const value =
        part.kind === 'json' ? part.value : part.kind === 'table' ? part.rows : part.kind === 'fields' ? part.fields : null
      return `${JSON.stringify(value, null, 2)}\n`
    })
    .join('\n')
}
