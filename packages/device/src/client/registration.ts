import {
  AipError,
  errorText,
  logError,
  wireTime,
  type Agreement,
  type DeviceInfo,
  type Feature,
  type Logger,
  type OfferFields,
} from '@orrery/aip'
import { registerClient, type ServerConnection } from '@orrery/aip/node'
import { DeviceInfoProvider, sessionPlatform } from '../info/device-info-provider.js'
import { logText } from './log-text.js'

/** The optional behaviours that this device offers when it registers. */
const FEATURES: readonly Feature[] = ['cancel', 'progress', 'concurrent', 'info']
/** What it offers when it keeps a journal. */
const JOURNAL_FEATURES: readonly Feature[] = ['journal', 'resume', ...FEATURES]

/** What {@link registerDevice} takes. */
export interface RegistrationOptions {
  clientId: string
  platform: string
  /** Describes the device; default {@link DeviceInfoProvider.collectSystemInfo}. */
  collect: ((clientId: string) => DeviceInfo) | undefined
  /** The token of the last registration with this server. */
  token: string | null
  /** Whether sessions are to survive a lost connection. */
  resumes: boolean
  /** Whether operators of the server may answer for the device's owner. */
  asks: boolean
  /** Whether it can send and take whole files. */
  files: boolean
  /** Whether operators may ask for interactive terminals. */
  terminals: boolean
  /** The largest frame that it takes from a server of Orrery, in bytes. */
  maxFrame: number
}

/**
 * Registers on a connection that was just made.
 * @returns what was agreed; null with an existing server
 * @throws AipError `REGISTRATION_FAILED` if the server refuses, its reason as the `cause`, `TIMEOUT` if it does not answer in time, `CONNECTION_CLOSED`
 */
export async function registerDevice(connection: ServerConnection, options: RegistrationOptions): Promise<Agreement | null> {
  const { clientId } = options
  const { clock, logger } = connection.aip
  const metadata = { ...describeDevice(options, logger), registration_time: wireTime(clock.now()) }
  logger.info(`[WS] [AIP] Attempting to register as ${clientId}`)
  const platform = sessionPlatform(options.platform)
  const identity = { clientId, clientType: 'device', platform, metadata, offer: offerOf(options) } as const
  const outcome = await registerClient(connection, identity)
  if (!outcome.accepted) {
    logger.error(`[WS] [AIP] ❌ Failed to register as ${clientId}`)
    logger.error(`[WS] Server error: ${logText(outcome.reason)}`)
    throw new AipError('REGISTRATION_FAILED', errorText('REGISTRATION_FAILED', { id: clientId }), { cause: outcome.reason })
  }
  return outcome.agreement
}

/** What this device can do. */
function offerOf({ token, resumes, asks, files, terminals, maxFrame }: RegistrationOptions): OfferFields {
  const features = new Set<Feature>(resumes ? JOURNAL_FEATURES : FEATURES)
  if (asks) features.add('ask')
  if (files) features.add('files')
  if (terminals) features.add('terminal')
  return {
    version: 1,
    features: [...features],
    max_frame: maxFrame,
    ...(token === null ? {} : { resume_token: token }),
  }
}

/** Describes the device for a registration, or for a server that asks. A device that cannot be described is so all the same. */
export function describeDevice(
  { clientId, collect = DeviceInfoProvider.collectSystemInfo }: Pick<RegistrationOptions, 'clientId' | 'collect'>,
  logger: Logger,
): { system_info?: DeviceInfo } {
  try {
    const info = collect(clientId)
    const summary = `platform=${info.platform}, cpu=${info.cpu_count}, memory=${info.memory_total_gb}GB`
    logger.info(`[WS] [AIP] Collected device info: ${summary}`)
    return { system_info: info }
  } catch (error) {
    logError(logger, '[WS] [AIP] Error collecting device info', error)
    return {}
  }
}
