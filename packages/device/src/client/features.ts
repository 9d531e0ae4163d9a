import { Feature } from '@orrery/aip'
import { z } from 'zod'

/** The optional behaviours that this device offers when it registers. */
export const FEATURES: readonly Feature[] = ['cancel', 'progress']

const Negotiated = z.object({ aip: z.object({ features: z.array(z.string()) }) })

/** The features that a server has named in its confirmation; existing servers name none. @param result of the confirmation */
export function featuresOf(result: unknown): ReadonlySet<string> {
  const parsed = Negotiated.safeParse(result)
  return new Set(parsed.success ? parsed.data.aip.features : [])
}
