import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { messageOf } from '@orrery/aip'
import type { ServerTrust } from '@orrery/aip/node'
import type { Command } from 'commander'
import { usageError } from '../terminal/errors.js'
import { localFingerprint } from './running-server.js'

/** Which certificate of a server counts, as flags and files say it. */
export interface TrustFlags {
  ca?: string | undefined
  fingerprint?: string | undefined
}

/** Adds the flags for servers with a certificate of their own. */
export function addTrustFlags(command: Command): Command {
  return command
    .option('--ca <file>', "trust the server by these certificates instead of Node's: its authority's or its own, PEM")
    .option('--fingerprint <sha256>', "trust the server's certificate with this fingerprint alone, signed by anyone")
}

/**
 * Returns which certificate of a server counts: flags beat the configuration, which beats what the server of this machine has announced.
 * @param address of the server, with its scheme
 * @returns undefined for what Node trusts anyway
 * @throws {CliError} with exit code 2
 */
export async function serverTrust(
  address: string,
  flags: TrustFlags,
  configured: TrustFlags = {},
): Promise<ServerTrust | undefined> {
  const given = isSet(flags) ? flags : configured
  if (!isSet(given)) {
    const fingerprint = localFingerprint(address)
    return fingerprint === undefined ? undefined : { fingerprint }
  }
  if (given.ca !== undefined && given.fingerprint !== undefined)
    throw usageError('Give a file of certificates (--ca) or a fingerprint, not both')
  if (!/^(?:https|wss):/i.test(address))
    throw usageError(
      `${address} is not encrypted, so it has no certificate to check: its address must begin with https:// or wss://`,
    )
  if (given.ca !== undefined) return { ca: readCertificates(given.ca) }
  const { parseFingerprint } = await import('@orrery/aip/node')
  try {
    return { fingerprint: parseFingerprint(given.fingerprint ?? '') }
  } catch (error) {
    throw usageError(`'${given.fingerprint}': ${messageOf(error)}`, error)
  }
}

function isSet({ ca, fingerprint }: TrustFlags): boolean {
  return ca !== undefined || fingerprint !== undefined
}

/** Reads a file of certificates. @throws {CliError} with exit code 2 */
function readCertificates(path: string): string {
  try {
    const text = readFileSync(path, 'utf8')
    return new X509Certificate(text) instanceof X509Certificate ? text : ''
  } catch (error) {
    const reason = error instanceof Error && 'syscall' in error ? messageOf(error) : 'it has no certificate in PEM'
    throw usageError(`Cannot use ${path} for --ca: ${reason}`, error)
  }
}
