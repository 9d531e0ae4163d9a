import { z } from 'zod'
import { LIMITS } from '../limits.js'
import { Feature } from './values.js'

/** A value of the kind, or null: an offer or an agreement with one invalid field is read without that field. */
function optional<T extends z.ZodType>(kind: T, doc: string) {
  return kind.nullable().default(null).catch(null).describe(doc)
}

/** Names of features. Unknown ones are ignored: a newer peer may have more. */
const features = z
  .array(z.string().catch(''))
  .catch([])
  .transform((names) => names.filter(isFeature))

/** `metadata.aip` of a registration: what a client offers. */
export const Offer = z.object({
  version: z.literal(1).catch(1).describe('Version of the negotiation.'),
  features: features.describe('The features that the client supports.'),
  resume_token: optional(
    z.string(),
    'The token of the last registration with this server, a secret of this client; absent at the first registration.',
  ),
  max_frame: optional(
    z.number().min(LIMITS.frameBeforeRegistration),
    'The largest frame that the client accepts, in bytes; the server refuses larger batches instead of sending them.',
  ),
})
export type Offer = z.output<typeof Offer>

/** `result.aip` of a confirmation: what server and client have agreed on. */
export const Agreement = z.object({
  version: z.literal(1).catch(1).describe('Version of the negotiation.'),
  features: features.describe('The offered features that the server supports too. Only these are used on this connection.'),
  heartbeat_ms: z
    .number()
    .positive()
    .catch(LIMITS.resumeSilence)
    .describe('Milliseconds of silence after which a connection with `resume` counts as dead.'),
  resume_token: optional(
    z.string(),
    'With `resume`: the token for the next registration. It replaces the previous one, so the client stores it at once.',
  ),
  session_id: optional(
    z.string(),
    'For a device with `resume`: the session that continues; null if none does. Every other session has ended.',
  ),
  session_ids: optional(z.array(z.string()), 'To a constellation with `resume`: its sessions that continue.'),
  transfer_key: optional(
    z.string(),
    'With `files`: the value of the header `x-orrery-transfer-key` when a device dials for a file transfer.',
  ),
})
export type Agreement = z.output<typeof Agreement>

/** What a server writes into a confirmation; fields that do not apply are left out. */
export type AgreementFields = Pick<Agreement, 'version' | 'features' | 'heartbeat_ms'> & Partial<Agreement>
/** What a client writes into a registration. */
export type OfferFields = Pick<Offer, 'version' | 'features'> & Partial<Offer>

const Offering = z.object({ aip: Offer })
const Agreeing = z.object({ aip: Agreement })

/** Reads the offer of a registration. @param metadata of the message @returns null if there is none, as with existing peers */
export function offerIn(metadata: unknown): Offer | null {
  return Offering.safeParse(metadata).data?.aip ?? null
}

/** Reads what the server has agreed to. @param result of the confirmation @returns null if there is none, as with existing servers */
export function agreementIn(result: unknown): Agreement | null {
  return Agreeing.safeParse(result).data?.aip ?? null
}

const KNOWN: ReadonlySet<unknown> = new Set(Feature.options)

function isFeature(name: unknown): name is Feature {
  return KNOWN.has(name)
}
