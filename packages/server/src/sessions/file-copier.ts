import type { Command, Result } from '@orrery/aip'
import type { Owner } from '@orrery/aip/records'
import type { FileCopy } from '../agents/agent.js'

/** Runs a transfer tool on the device of a session, as one of the session's own commands. */
export type RunHere = (command: Omit<Command, 'call_id'>) => Promise<Result>

/** A file that a session copies. */
export interface CopyRequest {
  copy: FileCopy
  /** To whom the session belongs: what may be copied depends on it. */
  owner: Owner
  /** The device of the session, which runs nothing else meanwhile. */
  deviceId: string
  /** The id of the transfer on that device. */
  transferId: string
  runHere: RunHere
  /** Aborted when the session is cancelled. */
  signal: AbortSignal
}

/** A file that was copied. */
export interface CopiedFile {
  device: string
  path: string
  bytes: number
  /** SHA-256 of the content, in hexadecimal. */
  checksum: string
}

/** Copies files between devices. */
export interface FileCopier {
  /** @throws AipError why the file could not be copied */
  copy(request: CopyRequest): Promise<CopiedFile>
}
