import { messageOf, wireTime, type DeviceInfo, type Feature, type Logger } from '@orrery/aip'
import { z } from 'zod'
import type { CommandJournal } from '../journal/command-journal.js'
import { DeviceInfoProvider } from '../info/device-info-provider.js'

/** The optional behaviours that this device offers when it registers. */
const FEATURES: readonly Feature[] = ['cancel', 'progress']
/** What it can do besides with a journal. */
const JOURNAL_FEATURES: readonly Feature[] = ['journal', 'resume', ...FEATURES]

const Answer = z.object({
  aip: z.object({
    features: z.array(z.string()),
    resume_token: z.string().nullish(),
    /** The session that goes on after the connection was lost. */
    session_id: z.string().nullish(),
  }),
})

/** What server and device have agreed on. */
export interface Negotiated {
  features: ReadonlySet<string>
  resumeToken: string | null
  sessionId: string | null
}

/** What a server has answered in its confirmation; existing servers answer nothing. @param result of the confirmation */
export function negotiatedIn(result: unknown): Negotiated {
  const parsed = Answer.safeParse(result)
  if (!parsed.success) return { features: new Set(), resumeToken: null, sessionId: null }
  const { features, resume_token, session_id } = parsed.data.aip
  return { features: new Set(features), resumeToken: resume_token ?? null, sessionId: session_id ?? null }
}

/**
 * The metadata of a registration. A device that cannot tell what it is registers all the same.
 * @param options.collect default {@link DeviceInfoProvider.collectSystemInfo}
 * @param options.now milliseconds since the epoch
 */
export function describeDevice(
  clientId: string,
  options: {
    collect: ((clientId: string) => DeviceInfo) | undefined
    now: number
    logger: Logger
    journal: CommandJournal | null
  },
): Record<string, unknown> {
  const { collect = DeviceInfoProvider.collectSystemInfo, now, logger, journal } = options
  const token = journal?.resumeToken ?? null
  const aip = {
    version: 1,
    features: journal === null ? FEATURES : JOURNAL_FEATURES,
    ...(token === null ? {} : { resume_token: token }),
  }
  const always = { registration_time: wireTime(now), aip }
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
