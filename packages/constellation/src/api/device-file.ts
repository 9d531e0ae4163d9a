import type { Session } from '@orrery/aip/api'
import { ApiClientError } from './api-client-error.js'

/** A file of a device whose content is about to come. */
export interface DeviceFile {
  /** The session of the transfer. Its result has the `checksum` (MD5) of the device, once the content has come. */
  sessionId: string
  /** Bytes. */
  size: number
  /**
   * The content, read once. It comes to its end only if all of it has come.
   * @throws {ApiClientError} `TRANSFER_CUT`
   */
  content: AsyncGenerator<Uint8Array, void, void>
}

/**
 * Reads an answer with a file.
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
  return { sessionId, size, content: contentOf(response, () => reasonOf(sessionId, sessionOf), signal) }
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

/** The answer has begun already, so only the session can tell what went wrong. */
async function reasonOf(sessionId: string, sessionOf: (id: string) => Promise<Session>): Promise<string> {
  const session = await sessionOf(sessionId).catch(() => null)
  return session?.error ?? 'the connection was lost'
}
