import { messageOf, wireTime, type DeviceInfo, type Feature, type Logger } from '@orrery/aip'
import { z } from 'zod'
import { DeviceInfoProvider } from '../info/device-info-provider.js'

/** The optional behaviours that this device offers when it registers. */
const FEATURES: readonly Feature[] = ['cancel', 'progress']

const Negotiated = z.object({ aip: z.object({ features: z.array(z.string()) }) })

/** The features that a server has named in its confirmation; existing servers name none. @param result of the confirmation */
export function featuresOf(result: unknown): ReadonlySet<string> {
  const parsed = Negotiated.safeParse(result)
  return new Set(parsed.success ? parsed.data.aip.features : [])
}

/**
 * The metadata of a registration. A device that cannot tell what it is registers all the same.
 * @param options.collect default {@link DeviceInfoProvider.collectSystemInfo}
 * @param options.now milliseconds since the epoch
 */
export function describeDevice(
  clientId: string,
  options: { collect: ((clientId: string) => DeviceInfo) | undefined; now: number; logger: Logger },
): Record<string, unknown> {
  const { collect = DeviceInfoProvider.collectSystemInfo, now, logger } = options
  const always = { registration_time: wireTime(now), aip: { version: 1, features: FEATURES } }
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
