import { lookup } from 'node:dns/promises'
import { BlockList, isIP } from 'node:net'
import { usageError } from '../terminal/errors.js'

/** Addresses of this machine and of private networks: RFC 1918, 3927, 4193, 4291 and 6598. */
const PRIVATE = new BlockList()
for (const [network, prefix] of [
  ['0.0.0.0', 32],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
] as const)
  PRIVATE.addSubnet(network, prefix, 'ipv4')
for (const [network, prefix] of [
  ['::', 127],
  ['fc00::', 7],
  ['fe80::', 10],
] as const)
  PRIVATE.addSubnet(network, prefix, 'ipv6')

/** Names that only private networks know: without a dot, or below a name kept for them (RFC 6762, 6761, 8375, ICANN for `internal`). */
const PRIVATE_NAME = /^[^.]+$|\.(?:localhost|local|lan|internal|home\.arpa)$/

/**
 * Refuses an address that would send the key, and everything else, unencrypted through networks of others.
 * @param address of a server, with or without a scheme
 * @throws {CliError} with exit code 2
 */
export async function refuseOpenNetwork(address: string): Promise<void> {
  const url = URL.parse(/^[a-z]+:\/\//i.test(address) ? address : `http://${address}`)
  if (url === null || !/^(?:ws|http):$/.test(url.protocol)) return
  const host = url.hostname.replaceAll(/^\[|\]$/g, '')
  if (await isPrivate(host)) return
  const secure = url.protocol === 'ws:' ? 'wss' : 'https'
  throw usageError(
    `${url.protocol}//${url.host} is outside of private networks and not encrypted: others could read the key and change what runs. ` +
      `Use ${secure}://, a tunnel, or --insecure`,
  )
}

async function isPrivate(host: string): Promise<boolean> {
  if (isIP(host) !== 0) return isPrivateAddress(host)
  if (host === 'localhost') return true
  try {
    const addresses = await lookup(host, { all: true })
    return addresses.every(({ address }) => isPrivateAddress(address))
  } catch {
    // The network may not be up yet.
    return PRIVATE_NAME.test(host)
  }
}

/** Returns whether an IP address belongs to this machine or a private network. */
export function isPrivateAddress(address: string): boolean {
  return PRIVATE.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')
}
