import { CLIENT_ID, CONSTELLATION_ID, aipError, type ClientType } from '@orrery/aip'
import type { ClientConnectionManager } from '../clients/client-connection-manager.js'
import { serverError } from '../errors.js'

/** The known platforms of devices. */
const PLATFORMS: readonly string[] = ['windows', 'linux', 'darwin', 'macos', 'mobile', 'android', 'ios', 'web', 'iot', 'unknown']

/** What a registration must satisfy besides having a key. */
export interface RegistrationRules {
  /** Maximum number of clients. Default: no limit. */
  maxClients?: number | undefined
  /** Default: the known ones. */
  platforms?: readonly string[] | undefined
  /** Must match the whole client id, in addition to the protocol's own rule. */
  clientIdPattern?: RegExp | undefined
  /** What a second registration of an id does. Default `refuse`. */
  takeover?: 'refuse' | 'replace' | undefined
}

/** @throws AipError `CLIENT_ID_REQUIRED`, `INVALID_CLIENT_ID` or `INVALID_CONSTELLATION_ID` */
export function checkClientId(clientId: string | null, clientType: ClientType, { clientIdPattern }: RegistrationRules): string {
  if (clientId === null || clientId === '') throw serverError('CLIENT_ID_REQUIRED')
  const [whole] = clientIdPattern?.exec(clientId) ?? []
  const isDevice = clientType === 'device'
  if ((isDevice ? CLIENT_ID : CONSTELLATION_ID).test(clientId) && (clientIdPattern === undefined || whole === clientId))
    return clientId
  throw isDevice ? aipError('INVALID_CLIENT_ID') : serverError('INVALID_CONSTELLATION_ID')
}

/** @throws AipError `INVALID_PLATFORM` or `CAPACITY_REACHED` */
export function checkAdmission(
  { clientId, clientType, platform }: { clientId: string; clientType: ClientType; platform: string },
  rules: RegistrationRules,
  clients: ClientConnectionManager,
): void {
  const platforms = rules.platforms ?? PLATFORMS
  if (clientType === 'device' && !platforms.includes(platform.toLowerCase())) {
    throw serverError('INVALID_PLATFORM', { platform, platforms: platforms.join(', ') })
  }
  const limit = rules.maxClients ?? Infinity
  if (clients.size >= limit && !clients.isOnline(clientId)) throw serverError('CAPACITY_REACHED', { limit })
}
