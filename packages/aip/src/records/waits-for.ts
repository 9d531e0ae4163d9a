import { z } from 'zod'

const Reason = z.enum(['queue', 'device', 'approval', 'answer'])

/** What a session waits for. */
export const WaitsFor = z
  .object({
    reason: Reason.describe(
      '`queue`: for the session that its device is busy with; `device`: for the device to come back; `approval`: for the owner of the device; `answer`: for a user',
    ),
    since: z.string().describe('ISO-8601'),
    session_id: z.string().nullable().describe('The session that it waits behind'),
    behind: Reason.nullable().describe('What that session waits for; null if it runs'),
  })
  .meta({ id: 'WaitsFor', description: 'What a session waits for' })
export type WaitsFor = z.infer<typeof WaitsFor>

/** Returns what a session waits for, in words. @param device its id */
export function waitText({ reason, session_id: id, behind }: WaitsFor, device: string): string {
  if (reason !== 'queue') return `waiting for ${REASONS[reason](device)}`
  const first = id === null ? 'another session' : id.replace(/^([0-9a-f]{8})-[0-9a-f]{4}-.*$/, '$1')
  return `queued behind ${first}${behind === null || behind === 'queue' ? '' : `, which waits for ${REASONS[behind](device)}`}`
}

const REASONS = {
  device: (device: string): string => `${device} to come back`,
  approval: (device: string): string => `an approval at ${device}`,
  answer: (): string => 'an answer',
} as const
