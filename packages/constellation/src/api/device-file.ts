import type { Session } from '@orrery/aip/api'
import { ApiClientError } from './api-client-error.js'

/** What a device reports about a file that it has sent. */
export interface SentFile {
  /** The real path. */
  path: string
  /** MD5, in hex. */
  checksum: string
}

/** A file of a device, its content still to be read. */
export interface DeviceFile {
  /** The session of the transfer. */
  sessionId: string
  /** Bytes. */
  size: number
  /** Its permissions in octal, such as `750`; null if the device does not tell them. */
  mode: string | null
  /** When it was changed last, to the second; null if the device does not tell it. */
  modified: Date | null
  /**
   * The content; it can be read once. It ends without an error only if it is complete.
   * @throws {ApiClientError} `TRANSFER_CUT`
   */
  content: AsyncGenerator<Uint8Array, void, void>
  /** Returns what the device reports about the file, once the content has been read; null if that is no longer known. */
  sent(): Promise<SentFile | null>
}

/**
 * Reads a response that carries a file.
 * @param sessionOf looks a session up
 * @param signal the caller's own; its reason is thrown as it is
 */
export function deviceFile(
  response: Response,
  sessionOf: (id: string) => Promise<Session>,
  signal: AbortSignal | undefined,
): DeviceFile {
  const sessionId = response.headers.get('x-orrery-session-id') ?? ''
  const size = Number(response.headers.get('content-length'))
  const changed = response.headers.get('last-modified')
  return {
    sessionId,
    size,
    mode: response.headers.get('x-orrery-mode'),
    modified: changed === null ? null : new Date(changed),
    content: contentOf(response, () => reasonOf(sessionId, sessionOf), signal),
    async sent() {
      const session = await sessionOf(sessionId).catch(() => null)
      return session === null ? null : sentFileIn(session.result)
    },
  }
}

/** The result of a transfer is a list with the result of one command, whose value comes from the device's tool. */
function sentFileIn(result: unknown): SentFile | null {
  const first: unknown = Array.isArray(result) ? result[0] : undefined
  const value = isObject(first) ? first['result'] : undefined
  if (!isObject(value)) return null
  const { path, checksum } = value
  return typeof path === 'string' && typeof checksum === 'string' ? { path, checksum } : null
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

async function* contentOf(
  { body }: Response,
  reason: () => Promise<string>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, void> {
  if (body === null) return
  try {
    yield* body
  } catch (error) {
    signal?.throwIfAborted()
    const detail = await reason()
    throw new ApiClientError('TRANSFER_CUT', `The file transfer ended in the middle: ${detail}`, null, { cause: error })
  }
}

/** The response has already begun, so only the session knows what went wrong. */
async function reasonOf(sessionId: string, sessionOf: (id: string) => Promise<Session>): Promise<string> {
  const session = await sessionOf(sessionId).catch(() => null)
  return session?.error ?? 'the connection was lost'
}
