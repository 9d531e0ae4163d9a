import { X509Certificate, createHash } from 'node:crypto'
import { once } from 'node:events'
import { isIP } from 'node:net'
import { checkServerIdentity, connect, rootCertificates } from 'node:tls'
import { fingerprintOf } from '@orrery/aip/node'

/** What another machine needs to trust a certificate that no public authority has signed for its name. */
export interface CertificatePin {
  /** Of the certificate, for Orrery. */
  fingerprint: string
  /** Of its key, as `curl --pinnedpubkey` takes it. */
  publicKey: string
}

/**
 * Returns what others need to trust a server of this machine; null if every machine trusts its certificate under this name.
 * @param address where it is reached from here
 */
export async function certificatePin(cert: string, name: string, address: URL): Promise<CertificatePin | null> {
  if (await isPublic(name, address)) return null
  const key = new X509Certificate(cert).publicKey.export({ type: 'spki', format: 'der' })
  return { fingerprint: fingerprintOf(cert), publicKey: `sha256//${createHash('sha256').update(key).digest('base64')}` }
}

/** Tries it, with the authorities that come with Node alone: those that this machine knows besides, others may not know. */
async function isPublic(name: string, { hostname, port }: URL): Promise<boolean> {
  const socket = connect({
    host: hostname.replaceAll(/^\[|\]$/g, ''),
    port: Number(port) || 443,
    servername: isIP(name) === 0 ? name : '',
    ca: [...rootCertificates],
    checkServerIdentity: (_host, peer) => checkServerIdentity(name, peer),
  })
  try {
    // It is this machine that answers.
    await once(socket, 'secureConnect', { signal: AbortSignal.timeout(5000) })
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
