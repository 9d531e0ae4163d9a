import {
  LIMITS,
  aipError,
  messageOf,
  wireTime,
  withTimeLimit,
  type Clock,
  type DeviceInfo,
  type Feature,
  type Logger,
} from '@orrery/aip'
import { z } from 'zod'
import type { CommandJournal } from '../journal/command-journal.js'
import { DeviceInfoProvider, sessionPlatform } from '../info/device-info-provider.js'
import type { DeviceConnection } from './device-connection.js'
import { logText } from './log-text.js'

/** The optional behaviours that this device offers when it registers. */
const FEATURES: readonly Feature[] = ['cancel', 'progress']
/** What it can do besides with a journal. */
const JOURNAL_FEATURES: readonly Feature[] = ['journal', 'resume', ...FEATURES]

const Answer = z.object({
  aip: z.object({
    features: z.array(z.string()),
    resume_token: z.string().nullish(),
    /** Silence after which the connection is dead, in milliseconds. */
    heartbeat_ms: z.number().positive().catch(LIMITS.resumeSilence),
    /** The session that goes on after the connection was lost. */
    session_id: z.string().nullish(),
    transfer_key: z.string().nullish(),
  }),
})

/** What server and device have agreed on. */
export interface Negotiated {
  features: ReadonlySet<string>
  resumeToken: string | null
  sessionId: string | null
  /** What the device shows where it sends or takes a file; null if the server has no file transfer. */
  transferKey: string | null
  /** Silence after which a connection that can resume is dead, in milliseconds. */
  silenceMs: number
}

/** What {@link registerDevice} takes. */
export interface RegistrationOptions {
  clientId: string
  platform: string
  /** Tells what the device is; default {@link DeviceInfoProvider.collectSystemInfo}. */
  collect: ((clientId: string) => DeviceInfo) | undefined
  clock: Clock
  logger: Logger
  journal: CommandJournal | null
  /** Whether operators of the server may answer for the device's owner. */
  asks: boolean
  /** Whether it can send and take whole files. */
  files: boolean
}

/**
 * Registers on a connection that was just made.
 * @throws AipError `REGISTRATION_FAILED` if the server refuses, `TIMEOUT` if it does not answer in time, `CONNECTION_CLOSED`
 */
export async function registerDevice({ registration }: DeviceConnection, options: RegistrationOptions): Promise<Negotiated> {
  const { clientId, clock, logger } = options
  const metadata = describeDevice(options)
  logger.info(`[WS] [AIP] Attempting to register as ${clientId}`)
  const platform = sessionPlatform(options.platform)
  const answer = registration.register({ clientId, clientType: 'device', platform, metadata })
  const outcome = await withTimeLimit(answer, { clock, ms: LIMITS.registrationTime, operation: 'Registration' })
  if (!outcome.accepted) {
    logger.error(`[WS] [AIP] ❌ Failed to register as ${clientId}`)
    logger.error(`[WS] Server error: ${logText(outcome.reason)}`)
    throw aipError('REGISTRATION_FAILED', { id: clientId })
  }
  return negotiatedIn(outcome.confirmation.result)
}

/** What a server has answered in its confirmation; existing servers answer nothing. @param result of the confirmation */
function negotiatedIn(result: unknown): Negotiated {
  const parsed = Answer.safeParse(result)
  const agreed = parsed.success ? parsed.data.aip : null
  return {
    features: new Set(agreed?.features),
    resumeToken: agreed?.resume_token ?? null,
    sessionId: agreed?.session_id ?? null,
    transferKey: agreed?.transfer_key ?? null,
    silenceMs: agreed?.heartbeat_ms ?? LIMITS.resumeSilence,
  }
}

/** The metadata of a registration. A device that cannot tell what it is registers all the same. */
function describeDevice(options: RegistrationOptions): Record<string, unknown> {
  const { clientId, collect = DeviceInfoProvider.collectSystemInfo, clock, logger, journal, asks, files } = options
  const token = journal?.resumeToken ?? null
  const aip = {
    version: 1,
    features: [...(journal === null ? FEATURES : JOURNAL_FEATURES), ...(asks ? ['ask'] : []), ...(files ? ['files'] : [])],
    max_frame: LIMITS.deviceFrame,
    ...(token === null ? {} : { resume_token: token }),
  }
  const always = { registration_time: wireTime(clock.now()), aip }
  try {
    const info = collect(clientId)
    const summary = `platform=${info.platform}, cpu=${info.cpu_count}, memory=${info.memory_total_gb}GB`
    logger.info(`[WS] [AIP] Collected device info: ${summary}`)
    return { system_info: info, ...always }
  } catch (error) {
    logger.error(`[WS] [AIP] Error collecting device info: ${messageOf(error)}`)
    return always
  }
}
