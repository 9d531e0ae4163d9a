import { X509Certificate, createPrivateKey, type KeyObject } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { messageOf } from '@orrery/aip'
import type { ServerConfig, ServerOptions } from '@orrery/server'
import { usageError } from '../terminal/errors.js'

/**
 * Reads the files that `tls` of server.yaml names, and checks that they are what they should be.
 * @throws {CliError} with exit code 2, which names the file and what to do
 */
export function readTlsFiles({
  cert: certFile,
  key: keyFile,
  client_ca: caFile,
}: NonNullable<ServerConfig['tls']>): NonNullable<ServerOptions['tls']> {
  const cert = readPem('cert', certFile)
  const key = readPem('key', keyFile)
  const certificate = certificateIn('cert', certFile, cert)
  if (!certificate.checkPrivateKey(keyIn(keyFile, key)))
    throw usageError(`tls.key: ${keyFile} is not the key of the certificate in ${certFile}`)
  if (caFile === undefined) return { cert, key }
  const clientCa = readPem('client_ca', caFile)
  certificateIn('client_ca', caFile, clientCa)
  return { cert, key, clientCa }
}

function readPem(name: string, path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw usageError(`tls.${name}: cannot read the file: ${messageOf(error)}`, error)
  }
}

function certificateIn(name: string, path: string, pem: string): X509Certificate {
  try {
    return new X509Certificate(pem)
  } catch (error) {
    throw usageError(`tls.${name}: ${path} is not a certificate in PEM: it begins with -----BEGIN CERTIFICATE-----`, error)
  }
}

function keyIn(path: string, pem: string): KeyObject {
  try {
    return createPrivateKey(pem)
  } catch (error) {
    const isLocked = error instanceof Error && 'code' in error && error.code === 'ERR_MISSING_PASSPHRASE'
    const cure = isLocked
      ? `has a passphrase: write it without one, with openssl pkey -in ${path} -out KEY`
      : 'is not a private key in PEM: it begins with -----BEGIN PRIVATE KEY----- or the like'
    throw usageError(`tls.key: ${path} ${cure}`, error)
  }
}
