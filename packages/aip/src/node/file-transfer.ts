import { createHash, type Hash } from 'node:crypto'
import { mkdir, open, rename, rm, stat, type FileHandle } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { z } from 'zod'
import { parseObject } from '../codec.js'
import { aipError } from '../errors.js'
import { LIMITS } from '../limits.js'
import { shown, type AIPProtocol } from '../protocol/aip-protocol.js'

const Start = z
  .object({
    type: z.literal('file_transfer_start'),
    filename: z.string(),
    size: z.number().int().nonnegative(),
    chunk_size: z.number().int().positive(),
    total_chunks: z.number().int().nonnegative(),
  })
  // Otherwise empty chunks could come without an end.
  .refine((start) => start.total_chunks === Math.ceil(start.size / start.chunk_size), { path: ['total_chunks'] })
const Complete = z.object({
  type: z.literal('file_transfer_complete'),
  total_chunks: z.number().int().nonnegative().optional(),
  checksum: z.string().nullish(),
})

/** What a transfer moved. `checksum` is the MD5 of the content in hex, as existing peers compute it. */
export interface TransferredFile {
  filename: string
  size: number
  path: string
  checksum: string
}

/** How a file is sent. */
export interface SendFileOptions {
  /** Bytes of one chunk. Default 1 MiB. */
  chunkBytes?: number
  /** Default: guessed by no one, the receiver knows what it asked for. */
  mimeType?: string
  sessionId?: string
  description?: string
  /** Called after each chunk with the bytes that are sent so far. */
  onProgress?: (sent: number, size: number) => void
}

/**
 * Sends a file in chunks (protocol reference, chapter 10). One chunk is in memory at a time.
 * @throws AipError `FILE_NOT_FOUND`, or what sending throws
 */
export async function sendFile(aip: AIPProtocol, path: string, options: SendFileOptions = {}): Promise<TransferredFile> {
  const { chunkBytes = LIMITS.fileChunk, mimeType = null, sessionId, description, onProgress } = options
  const file = await openToRead(path)
  try {
    const { size } = await file.stat()
    const common = { filename: basename(path), ...(sessionId === undefined ? {} : { session_id: sessionId }) }
    const total = Math.ceil(size / chunkBytes)
    await aip.transport.send(
      JSON.stringify({
        type: 'file_transfer_start',
        ...common,
        size,
        chunk_size: chunkBytes,
        total_chunks: total,
        mime_type: mimeType,
        ...(description === undefined ? {} : { description }),
      }),
    )
    const hash = createHash('md5')
    for (let chunk = 0; chunk < total; chunk += 1) {
      const expected = Math.min(chunkBytes, size - chunk * chunkBytes)
      const data = await readChunk(file, expected)
      hash.update(data)
      await aip.sendBinaryMessage(data, { chunk_num: chunk, chunk_size: data.byteLength })
      onProgress?.(chunk * chunkBytes + data.byteLength, size)
    }
    const checksum = hash.digest('hex')
    await aip.transport.send(JSON.stringify({ type: 'file_transfer_complete', ...common, total_chunks: total, checksum }))
    return { filename: common.filename, size, path, checksum }
  } finally {
    await file.close()
  }
}

async function openToRead(path: string): Promise<FileHandle> {
  const info = await stat(path).catch(() => null)
  if (info?.isFile() !== true) throw aipError('FILE_NOT_FOUND', { path })
  return open(path, 'r')
}

/** A buffer of its own for each chunk: the socket may still hold the last one. @throws AipError `SIZE_MISMATCH` if the file shrank */
async function readChunk(file: FileHandle, bytes: number): Promise<Uint8Array> {
  const buffer = Buffer.allocUnsafe(bytes)
  for (let filled = 0; filled < bytes;) {
    const { bytesRead } = await file.read(buffer, filled, bytes - filled)
    if (bytesRead === 0) throw aipError('SIZE_MISMATCH', { expected: bytes, actual: filled })
    filled += bytesRead
  }
  return buffer
}

/** Where a file goes: to a path of the receiver's choice, or into a folder under the plain name that the sender gave. */
export type FileTarget = { path: string } | { folder: string }

/** How a file is received. */
export interface ReceiveFileOptions {
  /** Largest file that is taken, in bytes. Default 16 GiB. */
  maxBytes?: number
  /** Replace a file that is there. Default false. */
  overwrite?: boolean
  /** Called after each chunk with the bytes that have come so far. */
  onProgress?: (received: number, size: number) => void
}

/**
 * Receives a file. It appears under its name only when it is whole and its size and checksum are right; until then it is a
 * `.part` file beside it, which is removed when anything goes wrong.
 * @throws AipError `TRANSFER_UNEXPECTED`, `FILE_TOO_LARGE`, `FILE_NAME_UNSAFE`, `FILE_EXISTS`, `SIZE_MISMATCH`,
 * `CHECKSUM_MISMATCH`, `BINARY_EXPECTED` or `CONNECTION_CLOSED`
 */
export async function receiveFile(
  aip: AIPProtocol,
  target: FileTarget,
  options: ReceiveFileOptions = {},
): Promise<TransferredFile> {
  const { maxBytes = LIMITS.file, overwrite = false, onProgress } = options
  const start = expectHeader(Start, 'file_transfer_start', await aip.transport.receive())
  if (start.size > maxBytes) throw aipError('FILE_TOO_LARGE', { size: start.size, limit: maxBytes })
  const path = 'path' in target ? target.path : join(target.folder, safeName(start.filename))
  if (!overwrite && (await exists(path))) throw aipError('FILE_EXISTS', { path })
  await mkdir(dirname(path), { recursive: true })
  const part = `${path}.${crypto.randomUUID().slice(0, 8)}.part`
  const file = await open(part, 'wx', 0o600)
  try {
    const checksum = await receiveChunks(aip, file, start, onProgress)
    await file.sync()
    await file.close()
    if (!overwrite && (await exists(path))) throw aipError('FILE_EXISTS', { path })
    await rename(part, path)
    return { filename: start.filename, size: start.size, path, checksum }
  } catch (error) {
    await file.close().catch(() => {})
    await rm(part, { force: true })
    throw error
  }
}

async function receiveChunks(
  aip: AIPProtocol,
  file: FileHandle,
  start: z.infer<typeof Start>,
  onProgress: ReceiveFileOptions['onProgress'],
): Promise<string> {
  const hash = createHash('md5')
  let received = 0
  for (let chunk = 0; chunk < start.total_chunks; chunk += 1) {
    const { data, metadata } = await aip.receiveBinaryMessage()
    if (metadata['chunk_num'] !== undefined && metadata['chunk_num'] !== chunk) {
      throw aipError('TRANSFER_UNEXPECTED', { expected: `chunk ${chunk}`, got: `chunk ${shown(metadata['chunk_num'])}` })
    }
    checkChunk(data, metadata['checksum'])
    received += data.byteLength
    if (received > start.size) throw aipError('SIZE_MISMATCH', { expected: start.size, actual: received })
    hash.update(data)
    await file.writeFile(data)
    onProgress?.(received, start.size)
  }
  const complete = expectHeader(Complete, 'file_transfer_complete', await aip.transport.receive())
  if (received !== start.size) throw aipError('SIZE_MISMATCH', { expected: start.size, actual: received })
  return verified(hash, complete.checksum)
}

/** The checksum of a chunk is optional: MD5 or SHA-256, told apart by their lengths. */
function checkChunk(data: Uint8Array, checksum: unknown): void {
  if (typeof checksum !== 'string') return
  verified(createHash(checksum.length === 64 ? 'sha256' : 'md5').update(data), checksum)
}

function verified(hash: Hash, expected: string | null | undefined): string {
  const actual = hash.digest('hex')
  if (typeof expected === 'string' && expected.toLowerCase() !== actual) throw aipError('CHECKSUM_MISMATCH', { expected, actual })
  return actual
}

function expectHeader<T>(schema: z.ZodType<T>, type: string, frame: string | Uint8Array): T {
  if (typeof frame !== 'string') throw aipError('TRANSFER_UNEXPECTED', { expected: type, got: 'binary data' })
  const header = parseObject(frame)
  if (header['type'] !== type) throw aipError('TRANSFER_UNEXPECTED', { expected: type, got: shown(header['type']) })
  const parsed = schema.safeParse(header)
  if (!parsed.success)
    throw aipError('TRANSFER_UNEXPECTED', {
      expected: type,
      got: `${type} with a wrong '${parsed.error.issues[0]?.path.join('.') ?? ''}'`,
    })
  return parsed.data
}

/** File systems allow 255 bytes, and a `.part` file has 14 more than its file. */
const MAX_NAME_BYTES = 240

/** A name of the sender as the name of a file here. @throws AipError `FILE_NAME_UNSAFE` for a path, a hidden file or a device name */
function safeName(name: string): string {
  const plain = /^[^\\/:*?"<>|\p{Cc}\p{Cf}\p{Cs}]+$/u.test(name) && !name.startsWith('.') && !/[. ]$/.test(name)
  if (!plain || Buffer.byteLength(name) > MAX_NAME_BYTES || /^(con|prn|aux|nul|com\d|lpt\d) *(\..*)?$/i.test(name))
    throw aipError('FILE_NAME_UNSAFE', { name: name.slice(0, 100) })
  return name
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}
