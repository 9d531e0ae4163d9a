import type { IncomingMessage } from 'node:http'
import { BlockList, isIP } from 'node:net'

/** Returns the address that a request comes from, as limits count it. */
export type AddressOf = (request: IncomingMessage) => string

/**
 * Makes an {@link AddressOf}. Behind a trusted proxy it is the last address in `X-Forwarded-For` that is not itself one.
 * @param proxies addresses, or networks such as `10.0.0.0/8`
 */
export function clientAddresses(proxies: readonly string[] = []): AddressOf {
  const trusted = new BlockList()
  for (const each of proxies) {
    const [address = '', prefix] = each.split('/')
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
    trusted.addSubnet(address, prefix === undefined ? (family === 'ipv6' ? 128 : 32) : Number(prefix), family)
  }
  const isTrusted = (address: string): boolean =>
    isIP(address) !== 0 && trusted.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')
  return ({ socket, headers }) => {
    const direct = plain(socket.remoteAddress ?? '')
    if (proxies.length === 0 || !isTrusted(direct)) return countedAddress(direct)
    const named = [headers['x-forwarded-for'] ?? []].flat().join(',').split(',')
    const hops = named.map((each) => plain(each.trim())).filter((each) => isIP(each) !== 0)
    return countedAddress(hops.findLast((each) => !isTrusted(each)) ?? direct)
  }
}

/** Returns an address as limits count it: a whole IPv6 network of 64 bits, which one customer has, is one. */
export function countedAddress(address: string): string {
  const known = plain(address)
  if (isIP(known) !== 6) return known
  const [head = '', tail = ''] = known.split('::')
  const groups = head === '' ? [] : head.split(':')
  const missing = known.includes('::') ? 8 - groups.length - (tail === '' ? 0 : tail.split(':').length) : 0
  const all = [...groups, ...Array.from({ length: missing }, () => '0'), ...(tail === '' ? [] : tail.split(':'))]
  return `${all
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`
}

/** Removes the IPv6 form of an IPv4 address, and the zone of a link-local one. */
function plain(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '')
}
