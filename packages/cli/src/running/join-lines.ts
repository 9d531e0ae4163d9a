import { isIP } from 'node:net'
import { networkInterfaces } from 'node:os'
import type { CertificatePin } from './certificate-pin.js'
import { orrery } from '../terminal/invocation.js'
import { isPrivateAddress } from '../settings/open-network.js'
import { type Line, paint } from '../terminal/painted.js'

/** Where a device finds the server. */
export interface JoinFacts {
  host: string
  port: number
  deviceKey: string
  /** Whether the server gives the package for devices. */
  hasPackage: boolean
  /** Whether it serves TLS. */
  secure: boolean
  /** What a machine needs to trust its certificate; null if every machine does. */
  pin: CertificatePin | null
}

/** What to type so that another machine becomes a device. */
export function joinLines({ host, port, deviceKey, hasPackage, secure, pin }: JoinFacts): Line[] {
  if (isLoopback(host))
    return [
      '  Only this machine can reach the server now. To let others in, stop it and start it with',
      `  ${orrery('up --host 0.0.0.0')}`,
      '  which prints the line for the other machine.',
    ]
  const address = joinHost(host)
  const name = `${address.includes(':') ? `[${address}]` : address}:${port}`
  const isOpen = !secure && isIP(address) !== 0 && !isPrivateAddress(address)
  const more = `${isOpen ? ' --insecure' : ''}${pin === null ? '' : ` --fingerprint ${pin.fingerprint}`}`
  const flags = `--ws-server ${secure ? 'wss' : 'ws'}://${name}/ws${more}`
  const warning = isOpen
    ? [
        paint(
          'yellow',
          `  ${address} is not in a private network: others on the way could read the key. Use TLS or a tunnel there.`,
        ),
      ]
    : []
  const withoutPackage = `  npm run device -- ${flags} --token ${deviceKey}`
  if (!hasPackage) return ['  Clone Orrery there, and run in its folder', withoutPackage, ...warning]
  const url = `${secure ? 'https' : 'http'}://${name}/orrery-device.tgz`
  const start = (from: string): string => `  ORRERY_API_KEY=${deviceKey} npx -y -p node@24 -p ${from} orrery device ${flags}`
  const lines =
    pin === null
      ? ['  It needs npm and Node 20 or newer. Run there:', start(url)]
      : // npm does not know a fingerprint; curl checks the key of the certificate, even when it does not check who signed it.
        [
          '  It needs curl, npm and Node 20 or newer. Run there:',
          `  curl -fsSOk --pinnedpubkey '${pin.publicKey}' ${url}`,
          start('./orrery-device.tgz'),
        ]
  return [...lines, paint('dim', `  or in a clone of Orrery: npm run device -- ${flags} --token ${deviceKey}`), ...warning]
}

/** The name or address under which other machines may reach a server that listens on this host. */
export function joinHost(host: string): string {
  return host === '0.0.0.0' || host === '::' ? lanAddress() : host
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.')
}

/** An address under which other machines in the network may reach this one. */
function lanAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap((each) => each ?? [])
  const outside = all.filter((each) => !each.internal && each.family === 'IPv4')
  const [first] = outside
  return (outside.find((each) => isPrivateAddress(each.address)) ?? first)?.address ?? 'THIS-MACHINE'
}
