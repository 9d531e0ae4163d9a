import { createHash, type Hash } from 'node:crypto'
import { z } from 'zod'
import { parseObject } from '../codec.js'
import { aipError } from '../errors.js'
import { LIMITS } from '../limits.js'
import { shown, type AIPProtocol } from '../protocol/aip-protocol.js'

/** Permissions of a file in octal: of owner, group and others. Rights that a program passes on are not among them. */
export const FileMode = z.string().regex(/^[0-7]{1,3}$/)

const Start = z
  .object({
    type: z.literal('file_transfer_start'),
    filename: z.string(),
    size: z.number().int().nonnegative(),
    chunk_size: z.number().int().positive(),
    total_chunks: z.number().int().nonnegative(),
    mode: FileMode.optional().catch(undefined),
    modified: z.iso.datetime().optional().catch(undefined),
  })
  // Otherwise empty chunks could arrive forever.
  .refine((start) => start.total_chunks === Math.ceil(start.size / start.chunk_size), { path: ['total_chunks'] })
const Complete = z.object({
  type: z.literal('file_transfer_complete'),
  total_chunks: z.number().int().nonnegative().optional(),
  checksum: z.string().nullish(),
})

/** What is sent about a file ahead of its bytes. */
export interface ContentOptions {
  filename: string
  /** Bytes. */
  size: number
  /** Bytes of one chunk. Default 1 MiB. */
  chunkBytes?: number | undefined
  /** Default: none, because the receiver knows what it requested. */
  mimeType?: string | undefined
  sessionId?: string | undefined
  description?: string | undefined
  /** Its permissions in octal, e.g. `750`. Default: none are sent. */
  mode?: string | undefined
  /** When it was changed last, ISO 8601, UTC. Default: it is not sent. */
  modified?: string | undefined
  /** Called after each chunk with the number of bytes sent so far. */
  onProgress?: ((sent: number, size: number) => void) | undefined
}

/**
 * Sends bytes as a file, in chunks (protocol reference, chapter 10). One chunk is in memory at a time; the next one is read when the
 * connection has taken the previous one.
 * @param source the bytes, in pieces of any size; what exceeds `size` is not read
 * @returns the MD5 of the bytes, in hex
 * @throws AipError `SIZE_MISMATCH` if there are fewer bytes, and what sending or the source throws
 */
export async function sendContent(aip: AIPProtocol, source: AsyncIterable<Uint8Array>, options: ContentOptions): Promise<string> {
  const {
    filename,
    size,
    chunkBytes = LIMITS.fileChunk,
    mimeType = null,
    sessionId,
    description,
    mode,
    modified,
    onProgress,
  } = options
  const common = { filename, ...(sessionId === undefined ? {} : { session_id: sessionId }) }
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
      ...(mode === undefined ? {} : { mode }),
      ...(modified === undefined ? {} : { modified }),
    }),
  )
  const hash = createHash('md5')
  let sent = 0
  let chunk = 0
  for await (const data of inChunks(source, size, chunkBytes)) {
    hash.update(data)
    await aip.sendBinaryMessage(data, { chunk_num: chunk, chunk_size: data.byteLength })
    chunk += 1
    sent += data.byteLength
    onProgress?.(sent, size)
  }
  const checksum = hash.digest('hex')
  await aip.transport.send(JSON.stringify({ type: 'file_transfer_complete', ...common, total_chunks: total, checksum }))
  return checksum
}

/** Cuts bytes into chunks, each a separate buffer: the socket may still hold the last one. */
async function* inChunks(source: AsyncIterable<Uint8Array>, size: number, bytes: number): AsyncGenerator<Uint8Array, void> {
  let left = size
  let chunk = Buffer.allocUnsafe(Math.min(bytes, left))
  let filled = 0
  if (left === 0) return
  for await (const piece of source) {
    for (let at = 0; at < piece.byteLength;) {
      const part = piece.subarray(at, at + chunk.length - filled)
      chunk.set(part, filled)
      at += part.byteLength
      filled += part.byteLength
      if (filled < chunk.length) continue
      yield chunk
      left -= filled
      if (left === 0) return
      chunk = Buffer.allocUnsafe(Math.min(bytes, left))
      filled = 0
    }
  }
  throw aipError('SIZE_MISMATCH', { expected: chunk.length, actual: filled })
}

/** A file whose bytes are still to be received. */
export interface IncomingContent {
  /** The sender's name for it: to be shown, not to be written to. */
  filename: string
  /** Bytes. */
  size: number
  /** As in {@link ContentOptions}; undefined from peers that do not send it. */
  mode: string | undefined
  modified: string | undefined
  /**
   * The bytes, which can be read once; each chunk is received on demand. Size and checksum are verified at the end.
   * @returns the MD5 of the bytes, in hex
   * @throws AipError `SIZE_MISMATCH`, `CHECKSUM_MISMATCH`, `TRANSFER_UNEXPECTED`, `BINARY_EXPECTED` or `CONNECTION_CLOSED`
   */
  chunks: AsyncGenerator<Uint8Array, string, void>
}

/**
 * Waits for a file that a peer sends.
 * @param maxBytes largest accepted file, in bytes. Default 16 GiB
 * @throws AipError `TRANSFER_UNEXPECTED`, `FILE_TOO_LARGE` or `CONNECTION_CLOSED`
 */
export async function receiveContent(aip: AIPProtocol, maxBytes: number = LIMITS.file): Promise<IncomingContent> {
  const start = expectHeader(Start, 'file_transfer_start', await aip.transport.receive())
  if (start.size > maxBytes) throw aipError('FILE_TOO_LARGE', { size: start.size, limit: maxBytes })
  const { filename, size, mode, modified } = start
  return { filename, size, mode, modified, chunks: receiveChunks(aip, start) }
}

async function* receiveChunks(aip: AIPProtocol, start: z.infer<typeof Start>): AsyncGenerator<Uint8Array, string, void> {
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
    yield data
  }
  const complete = expectHeader(Complete, 'file_transfer_complete', await aip.transport.receive())
  if (received !== start.size) throw aipError('SIZE_MISMATCH', { expected: start.size, actual: received })
  return verified(hash, complete.checksum)
}

/** The checksum of a chunk is optional: MD5 or SHA-256, distinguished by their lengths. */
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
