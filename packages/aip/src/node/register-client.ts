import { LIMITS, PINGS_PER_SILENCE } from '../limits.js'
import { agreementIn, type Agreement, type OfferFields } from '../messages/negotiation.js'
import type { ClientType } from '../messages/values.js'
import { withTimeLimit } from '../time-limit.js'
import type { ServerConnection } from './server-connection.js'

/** The client that registers, and what it offers. */
export interface ClientIdentity {
  clientId: string
  clientType: ClientType
  targetId?: string | undefined
  platform?: string | undefined
  metadata: Record<string, unknown>
  offer: OfferFields
}

/** The outcome of a registration; an existing server agrees to nothing. */
export type Registered = { accepted: true; agreement: Agreement | null } | { accepted: false; reason: string }

/**
 * Registers on a new connection, and keeps it alive as agreed.
 * @throws AipError `TIMEOUT` if the server does not answer in time, `CONNECTION_CLOSED`
 */
export async function registerClient(connection: ServerConnection, identity: ClientIdentity): Promise<Registered> {
  const { registration, transport, aip } = connection
  const { offer, metadata, ...who } = identity
  const answer = registration.register({ ...who, metadata: { ...metadata, aip: offer } })
  const limit = { clock: aip.clock, ms: LIMITS.registrationTime, operation: 'Registration' }
  const outcome = await withTimeLimit(answer, limit)
  if (!outcome.accepted) return outcome
  const agreement = agreementIn(outcome.confirmation.result)
  // What was not offered is not agreed, whatever the server says.
  connection.features = new Set(agreement?.features.filter((feature) => offer.features.includes(feature)))
  if (agreement !== null && connection.features.has('resume'))
    transport.setKeepAlive(agreement.heartbeat_ms / PINGS_PER_SILENCE, agreement.heartbeat_ms)
  return { accepted: true, agreement }
}
