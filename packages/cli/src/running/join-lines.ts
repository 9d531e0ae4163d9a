import { isIP } from 'node:net'
import { networkInterfaces } from 'node:os'
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
}

/** What to type so that another machine becomes a device. */
export function joinLines({ host, port, deviceKey, hasPackage }: JoinFacts): Line[] {
  if (isLoopback(host))
    return [
      '  Only this machine can reach the server now. To let others in, stop it and start it with',
      `  ${orrery('up --host 0.0.0.0')}`,
      '  which prints the line for the other machine.',
    ]
  const address = host === '0.0.0.0' || host === '::' ? lanAddress() : host
  const name = `${address.includes(':') ? `[${address}]` : address}:${port}`
  const isOpen = isIP(address) !== 0 && !isPrivateAddress(address)
  const flags = `--ws-server ws://${name}/ws${isOpen ? ' --insecure' : ''}`
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
  return [
    '  It needs npm and Node 20 or newer. Run there:',
    `  ORRERY_API_KEY=${deviceKey} npx -y -p node@24 -p http://${name}/orrery-device.tgz orrery device ${flags}`,
    paint('dim', `  or in a clone of Orrery: npm run device -- ${flags} --token ${deviceKey}`),
    ...warning,
  ]
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
