import { createHash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { basename } from 'node:path'
import { aipError } from '@orrery/aip'
import { z } from 'zod'
import { fileError } from '../../paths/file-error.js'
import { characterEnd } from '../character-end.js'
import { defineTool } from '../define-tool.js'
import type { FilesState } from './files-state.js'
import { Folder } from './folder.js'
import { FILE_LIMITS } from './limits.js'
import { partOfText } from './part-of-text.js'
import { encodingNamed, markedEncoding, type TextEncoding } from './text-encoding.js'

const { read, readMost, hashed } = FILE_LIMITS
const CHUNK = 64 * 1024
const NEWLINE = 0x0a
/** Bytes of the longest mark of an encoding. */
const LONGEST_MARK = 2

/** `read_file`: a file, or a part of it. */
export const readFile = defineTool({
  name: 'read_file',
  title: 'Read a file',
  description:
    'Reads a file, or a part of it by lines (start_line, line_count) or by bytes (offset, length). Text comes as it is, anything ' +
    `else as base64, unless encoding says how it is written. At most ${read / 1024} KiB at once unless length says more (up to ${readMost / 1024 ** 2} MiB); next_offset or ` +
    'next_line say where to continue. sha256 is that of the whole file; give it to write_file or edit_file to be sure that the file was not changed meanwhile.',
  hints: { readOnlyHint: true, destructiveHint: false, idempotentHint: true },
  input: z.object({
    path: z.string().describe('Absolute, or relative to the start folder of the device'),
    start_line: z.number().int().min(1).optional().describe('First line to read, counted from 1'),
    line_count: z.number().int().min(1).optional().describe('Lines to read'),
    offset: z.number().int().min(0).optional().describe('First byte to read'),
    length: z.number().int().min(1).max(readMost).optional().describe('Bytes to read at most'),
    encoding: z
      .string()
      .max(40)
      .default('auto')
      .describe(
        'auto: text in UTF-8, or in UTF-16 with its mark, else base64. Or: utf-8, base64, latin1, windows-1252, utf-16le, gbk, shift_jis …',
      ),
  }),
  output: z.object({
    path: z.string(),
    size: z.number().describe('Bytes of the whole file'),
    sha256: z
      .string()
      .optional()
      .describe(`Of the whole file; left out above ${hashed / 1024 ** 2} MiB`),
    encoding: z.string().describe('base64, or how the file is written'),
    content: z.string(),
    offset: z.number().describe('Where the content starts in the file, in bytes'),
    bytes: z.number().describe('Bytes of the content'),
    next_offset: z.number().optional().describe('The file continues here'),
    next_line: z.number().optional().describe('The file continues with this line'),
  }),
  describeCall: ({ path }, { roots }) => ({ paths: [{ path: roots.absolute(path), access: 'read' }] }),
  run: async (args, { roots }: FilesState, signal) => {
    const byLine = args.start_line !== undefined || args.line_count !== undefined
    if (byLine && args.offset !== undefined)
      throw aipError('INVALID_INPUT', { detail: 'give either lines or an offset, not both' })
    const real = await roots.target(args.path)
    await using folder = await Folder.above(real, roots, args.path)
    await using file = await folder.file(basename(real), args.path)
    try {
      const { size } = await file.stat()
      const sha256 = size <= hashed ? { sha256: await sha256Of(file, signal) } : {}
      const length = args.length ?? read
      const text = await otherText(file, size, args.encoding, args.path)
      if (text !== null) {
        const { startLine, lineCount } = { startLine: args.start_line, lineCount: args.line_count }
        const { nextLine, ...part } = partOfText(text.content, text.encoding, {
          startLine,
          lineCount,
          offset: args.offset,
          length,
        })
        const end = part.offset + part.bytes
        return {
          path: real,
          size,
          ...sha256,
          encoding: text.encoding.name,
          ...part,
          ...(end < size ? { next_offset: end } : {}),
          ...(nextLine === undefined ? {} : { next_line: nextLine }),
        }
      }
      const part = byLine
        ? await readLines(file, args.start_line ?? 1, args.line_count ?? Infinity, length, signal)
        : { ...(await readBytes(file, args.offset ?? 0, length)), offset: args.offset ?? 0 }
      const shown = encode(part.bytes, args.encoding, byLine ? 'lines' : 'bytes')
      const end = part.offset + shown.bytes
      return {
        path: real,
        size,
        ...sha256,
        encoding: shown.encoding,
        content: shown.content,
        offset: part.offset,
        bytes: shown.bytes,
        ...(end < size ? { next_offset: end } : {}),
        ...('nextLine' in part && part.nextLine !== undefined ? { next_line: part.nextLine } : {}),
      }
    } catch (error) {
      throw fileError(error, args.path)
    }
  },
})

/**
 * The text of a file that is written in another way than UTF-8, by its mark or because the caller says so; null for others.
 * @throws AipError `INVALID_INPUT`, `FILE_TOO_LARGE`, `PATH_KIND`
 */
async function otherText(
  file: FileHandle,
  size: number,
  wanted: string,
  path: string,
): Promise<{ encoding: TextEncoding; content: string } | null> {
  const { bytes: start } = await readBytes(file, 0, LONGEST_MARK)
  const encoding = wanted === 'auto' ? markedEncoding(start) : wanted === 'base64' ? null : encodingNamed(wanted, start)
  if (encoding === null || encoding.name === 'utf-8') return null
  const tooLarge = size > FILE_LIMITS.edited
  if (tooLarge && wanted !== 'auto') throw aipError('FILE_TOO_LARGE', { size, limit: FILE_LIMITS.edited })
  const content = tooLarge ? null : encoding.decode((await readBytes(file, 0, size)).bytes)
  if (content !== null) return { encoding, content }
  if (wanted === 'auto') return null
  throw aipError('PATH_KIND', { path, expected: `a text file (${encoding.name.toUpperCase()})` })
}

/** The SHA-256 of a file, in hexadecimal. @throws AipError `TOOL_CANCELLED` when the signal aborts */
export async function sha256Of(file: FileHandle, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256')
  const buffer = Buffer.alloc(CHUNK)
  for (let at = 0; ;) {
    if (signal.aborted) throw aipError('TOOL_CANCELLED')
    const { bytesRead } = await file.read(buffer, 0, CHUNK, at)
    if (bytesRead === 0) return hash.digest('hex')
    hash.update(buffer.subarray(0, bytesRead))
    at += bytesRead
  }
}

/** Reads up to `length` bytes from `offset` on. */
export async function readBytes(file: FileHandle, offset: number, length: number): Promise<{ bytes: Buffer }> {
  const buffer = Buffer.alloc(length)
  let got = 0
  while (got < length) {
    const { bytesRead } = await file.read(buffer, got, length - got, offset + got)
    if (bytesRead === 0) break
    got += bytesRead
  }
  return { bytes: buffer.subarray(0, got) }
}

interface Lines {
  bytes: Buffer
  offset: number
  nextLine?: number | undefined
}

/** Reads whole lines; only a first line that is longer than `most` bytes is cut. */
async function readLines(file: FileHandle, first: number, count: number, most: number, signal: AbortSignal): Promise<Lines> {
  const offset = await lineStart(file, first, signal)
  const { bytes: all } = await readBytes(file, offset, most + 1)
  const bytes = all.subarray(0, most)
  let end = 0
  let line = first
  while (line - first < count) {
    const found = bytes.indexOf(NEWLINE, end)
    if (found < 0) break
    end = found + 1
    line += 1
  }
  // The last line of a file may have no line end.
  const isLast = all.length <= most && line - first < count
  if (isLast) return { bytes, offset }
  if (end === 0) return { bytes, offset }
  return { bytes: bytes.subarray(0, end), offset, nextLine: end < all.length ? line : undefined }
}

/** Where a line starts, in bytes; the end of the file if it has fewer lines. */
async function lineStart(file: FileHandle, wanted: number, signal: AbortSignal): Promise<number> {
  const buffer = Buffer.alloc(CHUNK)
  let line = 1
  for (let at = 0; line < wanted;) {
    if (signal.aborted) throw aipError('TOOL_CANCELLED')
    const { bytesRead } = await file.read(buffer, 0, CHUNK, at)
    if (bytesRead === 0) return at
    const chunk = buffer.subarray(0, bytesRead)
    for (let from = 0; ;) {
      const found = chunk.indexOf(NEWLINE, from)
      if (found < 0) break
      from = found + 1
      line += 1
      if (line === wanted) return at + from
    }
    at += bytesRead
  }
  return 0
}

interface Shown {
  encoding: 'utf-8' | 'base64'
  content: string
  bytes: number
}

/** Bytes as text where they are text. A character that the range cuts at its end is left for the next read. */
function encode(bytes: Buffer, wanted: string, unit: 'lines' | 'bytes'): Shown {
  if (wanted !== 'base64') {
    const kept = unit === 'lines' ? bytes : bytes.subarray(0, characterEnd(bytes))
    const text = textOf(kept)
    if (text !== null && (wanted !== 'auto' || !text.includes('\0')))
      return { encoding: 'utf-8', content: text, bytes: kept.length }
    if (wanted !== 'auto') return { encoding: 'utf-8', content: bytes.toString('utf8'), bytes: bytes.length }
  }
  return { encoding: 'base64', content: bytes.toString('base64'), bytes: bytes.length }
}

/** The text of bytes that are valid UTF-8, else null. A byte order mark is kept. */
function textOf(bytes: Buffer): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return null
  }
}
