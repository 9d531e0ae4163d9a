import { open, mkdir, rename, rm, stat, type FileHandle } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { startOf } from '../cut-text.js'
import { aipError } from '../errors.js'
import { LIMITS } from '../limits.js'
import type { AIPProtocol } from '../protocol/aip-protocol.js'
import { receiveContent, sendContent, type ContentOptions } from './file-content.js'

/** The outcome of a transfer. `checksum` is the MD5 of the content in hex, as existing peers compute it. */
export interface TransferredFile {
  filename: string
  size: number
  path: string
  checksum: string
}

/** How a file is sent. */
export type SendFileOptions = Omit<ContentOptions, 'filename' | 'size'>

/**
 * Sends a file in chunks (protocol reference, chapter 10). One chunk is in memory at a time.
 * @throws AipError `FILE_NOT_FOUND`, `SIZE_MISMATCH` if it shrinks meanwhile, or what sending throws
 */
export async function sendFile(aip: AIPProtocol, path: string, options: SendFileOptions = {}): Promise<TransferredFile> {
  const file = await openToRead(path)
  try {
    const { size } = await file.stat()
    const filename = basename(path)
    const checksum = await sendContent(aip, piecesOf(file, options.chunkBytes), { ...options, filename, size })
    return { filename, size, path, checksum }
  } finally {
    await file.close()
  }
}

async function openToRead(path: string): Promise<FileHandle> {
  const info = await stat(path).catch(() => null)
  if (info?.isFile() !== true) throw aipError('FILE_NOT_FOUND', { path })
  return open(path, 'r')
}

/** Reads an open file from its beginning. Each piece is valid until the next is requested. @param bytes size of a piece. Default 1 MiB */
export async function* piecesOf(file: FileHandle, bytes: number = LIMITS.fileChunk): AsyncGenerator<Uint8Array, void, void> {
  const buffer = Buffer.allocUnsafe(bytes)
  for (let at = 0; ;) {
    const { bytesRead } = await file.read(buffer, 0, bytes, at)
    if (bytesRead === 0) return
    at += bytesRead
    yield buffer.subarray(0, bytesRead)
  }
}

/** Where a file goes: to a path of the receiver's choice, or into a folder under the plain name that the sender gave. */
export type FileTarget = { path: string } | { folder: string }

/** How a file is received. */
export interface ReceiveFileOptions {
  /** Largest accepted file, in bytes. Default 16 GiB. */
  maxBytes?: number
  /** Replace an existing file. Default false. */
  overwrite?: boolean
  /** Called after each chunk with the number of bytes received so far. */
  onProgress?: (received: number, size: number) => void
}

/**
 * Receives a file. It appears under its name only when it is complete and its size and checksum are right; until then it is a
 * `.part` file next to it, which is removed if anything goes wrong.
 * @throws AipError `TRANSFER_UNEXPECTED`, `FILE_TOO_LARGE`, `FILE_NAME_UNSAFE`, `FILE_EXISTS`, `SIZE_MISMATCH`,
 * `CHECKSUM_MISMATCH`, `BINARY_EXPECTED` or `CONNECTION_CLOSED`
 */
export async function receiveFile(
  aip: AIPProtocol,
  target: FileTarget,
  options: ReceiveFileOptions = {},
): Promise<TransferredFile> {
  const { maxBytes = LIMITS.file, overwrite = false, onProgress } = options
  const { filename, size, chunks } = await receiveContent(aip, maxBytes)
  const path = 'path' in target ? target.path : join(target.folder, safeName(filename))
  if (!overwrite && (await exists(path))) throw aipError('FILE_EXISTS', { path })
  await mkdir(dirname(path), { recursive: true })
  const part = `${path}.${crypto.randomUUID().slice(0, 8)}.part`
  const file = await open(part, 'wx', 0o600)
  try {
    const checksum = await writeChunks(file, chunks, (received) => onProgress?.(received, size))
    await file.sync()
    await file.close()
    if (!overwrite && (await exists(path))) throw aipError('FILE_EXISTS', { path })
    await rename(part, path)
    return { filename, size, path, checksum }
  } catch (error) {
    await file.close().catch(() => {})
    await rm(part, { force: true })
    throw error
  }
}

/**
 * Writes chunks to an open file, one after the other.
 * @param onProgress called after each chunk with the number of bytes written so far
 * @returns what `chunks` returns: the checksum of an incoming file
 */
export async function writeChunks<T>(
  file: FileHandle,
  chunks: AsyncGenerator<Uint8Array, T, void>,
  onProgress: (written: number) => void = () => {},
): Promise<T> {
  let written = 0
  for (;;) {
    const next = await chunks.next()
    if (next.done === true) return next.value
    await file.writeFile(next.value)
    written += next.value.byteLength
    onProgress(written)
  }
}

/** Checks a sender's file name for use on this machine. @throws AipError `FILE_NAME_UNSAFE` for a path, a hidden file or a device name */
function safeName(name: string): string {
  const plain = /^[^\\/:*?"<>|\p{Cc}\p{Cf}\p{Cs}]+$/u.test(name) && !name.startsWith('.') && !/[. ]$/.test(name)
  if (!plain || Buffer.byteLength(name) > LIMITS.fileName || /^(con|prn|aux|nul|com\d|lpt\d) *(\..*)?$/i.test(name))
    throw aipError('FILE_NAME_UNSAFE', { name: startOf(name, 100) })
  return name
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}
