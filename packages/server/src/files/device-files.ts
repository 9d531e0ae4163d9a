import { PassThrough, Readable } from 'node:stream'
import { LIMITS, Result, aipError } from '@orrery/aip'
import { WrittenFile } from '@orrery/aip/api'
import { receiveContent, sendContent } from '@orrery/aip/node'
import type { Owner } from '@orrery/aip/records'
import { z } from 'zod'
import type { ClientConnectionManager } from '../clients/client-connection-manager.js'
import { FileTransferRun, type FileTransferPorts, type Here } from './file-transfer-run.js'
import { serverError } from '../errors.js'

/** A file that comes from a device. */
export interface DeviceFile {
  sessionId: string
  /** The name that the device gives it, without a folder. */
  filename: string
  /** Bytes. */
  size: number
  /** Its permissions in octal, and when it was changed last (ISO 8601, UTC); undefined from devices that do not tell it. */
  mode: string | undefined
  modified: string | undefined
  /** The bytes. The last ones follow only once the checksum is verified; the stream fails when the transfer does. */
  content: Readable
}

/** A file for a device. */
export interface FileForDevice {
  /** The path on the device. */
  path: string
  /** Bytes. */
  size: number
  /** Whether an existing file is replaced. */
  overwrite: boolean
  /** Its permissions in octal, and when it was changed last (ISO 8601, UTC). */
  mode?: string | undefined
  modified?: string | undefined
}

/** What the device's tool returns. */
const Written = z.object({ result: WrittenFile.omit({ session_id: true }) })

/** Whole files from and to devices. Bytes are passed on as fast as the slower end takes them. */
export class DeviceFiles {
  readonly #clients: ClientConnectionManager
  readonly #ports: FileTransferPorts
  /** The streams that carry bytes now. */
  readonly #open = new Set<Readable>()

  constructor(clients: ClientConnectionManager, ports: FileTransferPorts) {
    this.#clients = clients
    this.#ports = ports
  }

  /**
   * Has a device send a file.
   * @param signal aborted when the bytes are no longer wanted, which may be before they are read
   * @param here default: in a session of its own
   * @throws AipError `DEVICE_NOT_FOUND`, `DEVICE_OFFLINE`, `TRANSFER_UNSUPPORTED`, `TIMEOUT`, or what the device says
   */
  async read(owner: Owner, deviceId: string, path: string, signal: AbortSignal, here?: Here): Promise<DeviceFile> {
    this.#requireFiles(deviceId)
    const run = await FileTransferRun.begin(
      this.#ports,
      { owner, deviceId, tool: 'send_file', parameters: { path } },
      signal,
      here,
    )
    try {
      const { filename, size, mode, modified, chunks } = await receiveContent(run.aip)
      const content = Readable.from(passOn(run, chunks), { objectMode: false, highWaterMark: LIMITS.transferChunk })
      this.#track(content)
      // A reader that has stopped never asks for more, and so would not notice the failure.
      const stop = async (): Promise<void> => void content.destroy(await run.failure(aipError('CONNECTION_CLOSED')))
      void run.outcome.then(({ status }) => (status === 'completed' ? undefined : stop()))
      return { sessionId: run.sessionId, filename, size, mode, modified, content }
    } catch (error) {
      throw await run.failure(error)
    }
  }

  /**
   * Has a device receive a file.
   * @param body the bytes of the file; after a failure the rest is read and discarded, so that the sender gets the answer
   * @param signal aborted when the sender of the bytes has gone
   * @param here default: in a session of its own
   * @throws as {@link read}
   */
  async write(
    owner: Owner,
    deviceId: string,
    file: FileForDevice,
    body: Readable,
    signal: AbortSignal,
    here?: Here,
  ): Promise<WrittenFile> {
    const bytes = new PassThrough()
    this.#track(body)
    try {
      this.#requireFiles(deviceId)
      if (file.size > LIMITS.file) throw aipError('FILE_TOO_LARGE', { size: file.size, limit: LIMITS.file })
      const call = { owner, deviceId, tool: 'receive_file', parameters: { ...file } } as const
      const run = await FileTransferRun.begin(this.#ports, call, signal, here)
      body.pipe(bytes)
      return await this.#send(run, file, bytes)
    } finally {
      body.unpipe(bytes)
      bytes.destroy()
      body.resume()
    }
  }

  /** Ends open transfers, even if the other end no longer reads or writes. */
  close(): void {
    for (const stream of this.#open) stream.destroy()
  }

  #track(stream: Readable): void {
    this.#open.add(stream)
    stream.once('close', () => this.#open.delete(stream))
    // A reader gets this error too; until there is one, it must not end the process.
    stream.on('error', () => {})
  }

  async #send(run: FileTransferRun, { path, size }: FileForDevice, bytes: Readable): Promise<WrittenFile> {
    try {
      const options = { filename: nameIn(path), size, chunkBytes: LIMITS.transferChunk, onProgress: () => run.moved() }
      // A device that has given up must not wait for a sender that has stopped.
      await Promise.race([sendContent(run.aip, bytes, options), run.outcome])
      const { status, result } = await run.outcome
      if (status !== 'completed') throw aipError('CONNECTION_CLOSED')
      const [written] = z.tuple([Result.and(Written)]).parse(result)
      return { session_id: run.sessionId, ...written.result }
    } catch (error) {
      throw await run.failure(error)
    }
  }

  #requireFiles(deviceId: string): void {
    if (this.#clients.getClientInfo(deviceId)?.features.has('files') === false)
      throw serverError('TRANSFER_UNSUPPORTED', { id: deviceId })
  }
}

/** Holds one chunk back, so that only a file with the right checksum reaches its full length. */
async function* passOn(run: FileTransferRun, chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  try {
    let held: Uint8Array | null = null
    for await (const chunk of chunks) {
      run.moved()
      if (held !== null) yield held
      held = chunk
    }
    await run.taken()
    if (held !== null) yield held
  } catch (error) {
    throw await run.failure(error)
  } finally {
    run.end(serverError('CLIENT_DISCONNECTED'))
  }
}

/** Returns the last part of a path of any system. */
function nameIn(path: string): string {
  return path.split(/[\\/]/).at(-1) ?? path
}
