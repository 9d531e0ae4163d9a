import { aipError } from '@orrery/aip'

/** How the characters of a file are written as bytes. */
export interface TextEncoding {
  /** Its name in the Encoding standard, such as `utf-16le` or `windows-1252`. */
  name: string
  /** The bytes before the text that say how it is written. */
  mark: Buffer
  /** The text of bytes, without the mark; null if they are not text of this encoding. */
  decode(bytes: Buffer): string | null
  /** The bytes of a text, without the mark. @throws AipError `INVALID_INPUT` for a character that the encoding does not have */
  encode(text: string): Buffer
  /** Bytes of a text that was read in this encoding. */
  width(text: string): number
}

const NO_MARK = Buffer.alloc(0)
const MARKS = [
  ['utf-16le', Buffer.from([0xff, 0xfe])],
  ['utf-16be', Buffer.from([0xfe, 0xff])],
] as const

/** The encoding of a file that begins with a mark of UTF-16; null for others. */
export function markedEncoding(start: Buffer): TextEncoding | null {
  const found = MARKS.find(([, mark]) => start.subarray(0, mark.length).equals(mark))
  return found === undefined ? null : utf16(found[0], found[1])
}

/**
 * The encoding of this name. @param start the first bytes of the file
 * @throws AipError `INVALID_INPUT` if there is none
 */
export function encodingNamed(label: string, start: Buffer): TextEncoding {
  const name = nameOf(label)
  if (name === null)
    throw aipError('INVALID_INPUT', {
      detail: `there is no encoding '${label}'; give auto, utf-8, base64 or a name such as latin1, windows-1252, utf-16le, gbk or shift_jis`,
    })
  if (name === 'utf-16le' || name === 'utf-16be') {
    const [, mark] = MARKS.find(([each]) => each === name) ?? MARKS[0]
    return utf16(name, start.subarray(0, mark.length).equals(mark) ? mark : NO_MARK)
  }
  const decode = (bytes: Buffer): string | null => decoded(name, bytes)
  if (name === 'utf-8')
    return { name, mark: NO_MARK, decode, encode: (text) => Buffer.from(text), width: (text) => Buffer.byteLength(text) }
  return { name, mark: NO_MARK, decode, encode: (text) => encoded(name, text), width: (text) => widthIn(name, text) }
}

function nameOf(label: string): string | null {
  try {
    return new TextDecoder(label).encoding
  } catch {
    return null
  }
}

function utf16(name: 'utf-16le' | 'utf-16be', mark: Buffer): TextEncoding {
  return {
    name,
    mark,
    decode: (bytes) => decoded(name, bytes.subarray(mark.length)),
    encode: (text) => {
      const bytes = Buffer.from(text, 'utf16le')
      return name === 'utf-16le' ? bytes : bytes.swap16()
    },
    width: (text) => text.length * 2,
  }
}

/** The text of bytes that are valid, else null. A mark in them stays. */
function decoded(name: string, bytes: Buffer): string | null {
  try {
    return new TextDecoder(name, { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return null
  }
}

const tables = new Map<string, ReadonlyMap<string, Buffer>>()

/** The bytes of each character of an encoding, found by reading all sequences of one and of two bytes; Node only reads such encodings. */
function tableOf(name: string): ReadonlyMap<string, Buffer> {
  const known = tables.get(name)
  if (known !== undefined) return known
  const table = new Map<string, Buffer>()
  const add = (bytes: Buffer): boolean => {
    const text = decoded(name, bytes)
    // One character, which may be two units of a string.
    if (text === null || text.length !== String.fromCodePoint(text.codePointAt(0) ?? 0).length) return false
    if (!table.has(text)) table.set(text, bytes)
    return true
  }
  for (let first = 0; first < 256; first += 1) {
    if (add(Buffer.from([first]))) continue
    for (let second = 0x30; second < 256; second += 1) add(Buffer.from([first, second]))
  }
  tables.set(name, table)
  return table
}

function encoded(name: string, text: string): Buffer {
  const table = tableOf(name)
  const all = Buffer.alloc(text.length * 2)
  let length = 0
  for (const char of text) {
    const bytes = table.get(char)
    if (bytes === undefined) throw aipError('INVALID_INPUT', { detail: `'${char}' cannot be written in ${name}` })
    for (const byte of bytes) {
      all[length] = byte
      length += 1
    }
  }
  return all.subarray(0, length)
}

/** What is in no table has four bytes, in GB 18030. */
function widthIn(name: string, text: string): number {
  const table = tableOf(name)
  let width = 0
  for (const char of text) width += table.get(char)?.length ?? 4
  return width
}
