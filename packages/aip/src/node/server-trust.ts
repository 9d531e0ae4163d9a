import { X509Certificate, createHash } from 'node:crypto'
import { once } from 'node:events'
import type { TLSSocket } from 'node:tls'
import { aipError } from '../errors.js'
import { OTHER_FINGERPRINT } from '../tls-problem.js'

/** Which certificate of a server counts. Default: one for its name, signed by an authority that Node trusts. */
export interface ServerTrust {
  /** Certificates that are trusted instead of those of Node, PEM: of an authority, or of the server itself. */
  ca?: string | undefined
  /** SHA-256 of the server's certificate, as {@link fingerprintOf} returns it: checked instead of its name and who signed it. */
  fingerprint?: string | undefined
}

/** Settings of a TLS connection that {@link secured} then checks. */
export function tlsSettings({ ca, fingerprint }: ServerTrust): { ca?: string; rejectUnauthorized?: boolean } {
  // Another check, before anything is sent, takes the place of this one.
  if (fingerprint !== undefined) return { rejectUnauthorized: false }
  return ca === undefined ? {} : { ca }
}

/**
 * Waits until a TLS connection is made, and checks the fingerprint. Until then nothing may be sent over it.
 * @throws the error of the connection, or one with the code {@link OTHER_FINGERPRINT}
 */
export async function secured(socket: TLSSocket, { fingerprint }: ServerTrust, signal: AbortSignal): Promise<TLSSocket> {
  const abort = (): void => void socket.destroy(new Error('it did not answer in time'))
  signal.addEventListener('abort', abort, { once: true })
  try {
    if (signal.aborted) abort()
    await once(socket, 'secureConnect')
  } finally {
    signal.removeEventListener('abort', abort)
  }
  const shown = socket.getPeerX509Certificate()
  const found = shown === undefined ? 'none' : fingerprintOf(shown)
  if (fingerprint === undefined || found === fingerprint) return socket
  socket.destroy()
  throw Object.assign(new Error(`the certificate has the fingerprint ${found}, not ${fingerprint}`), { code: OTHER_FINGERPRINT })
}

/** The fingerprint of a certificate: `sha256:` and 64 digits. @param certificate PEM, of which the first certificate counts */
export function fingerprintOf(certificate: string | X509Certificate): string {
  const { raw } = typeof certificate === 'string' ? new X509Certificate(certificate) : certificate
  return `sha256:${createHash('sha256').update(raw).digest('hex')}`
}

/**
 * Reads a fingerprint as people write it: also as openssl prints it, with colons and capital letters.
 * @throws AipError `INVALID_INPUT`
 */
export function parseFingerprint(text: string): string {
  const digits = text
    .trim()
    .replace(/^sha256(?: fingerprint)?[:= ]/i, '')
    .replaceAll(':', '')
    .toLowerCase()
  if (!/^[\da-f]{64}$/.test(digits))
    throw aipError('INVALID_INPUT', { detail: 'a fingerprint is sha256: and 64 digits, as the server prints it' })
  return `sha256:${digits}`
}
