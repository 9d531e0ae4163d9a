import { z } from 'zod'
import { Command, Result } from '../messages/values.js'
import { defineRecord, type RecordDescription } from './record.js'
import { WaitsFor } from './waits-for.js'
import { Owner, Work } from './work.js'

/** Where a secret belongs in the arguments of a command. */
export const SecretPlace = z.object({
  command: z.number().int().describe('Which command of the batch, from 0'),
  path: z.array(z.union([z.string(), z.number()])).describe('Keys and indices that lead to the text'),
  at: z.number().int().describe('Where `***` is in the text'),
  name: z.string().describe('The name of the secret'),
})
export type SecretPlace = z.infer<typeof SecretPlace>

const Ended = z.enum(['completed', 'failed', 'cancelled'])

/** Every record of a session, in the order in which they can occur. */
export const RECORDS = [
  defineRecord({
    type: 'accepted',
    doc: 'The task is accepted. Holds the whole request; recorded before the task is acknowledged.',
    schema: z.object({
      session_id: z.string(),
      device_id: z.string(),
      task_name: z.string(),
      request: z.string().describe('The work in one line'),
      owner: Owner,
      request_id: z.string().nullable().describe('The same owner, session id and request id mean the same request'),
      assigned: z.boolean().describe('The device is asked to start the task itself (`POST /api/dispatch`)'),
      work: Work,
    }),
  }),
  defineRecord({
    type: 'commands_sent',
    doc: 'A batch of commands, recorded before it is sent to the device.',
    schema: z.object({
      response_id: z.string(),
      agent_name: z.string(),
      process_name: z.string(),
      root_name: z.string(),
      label: z.string().nullable().default(null).describe('What the batch does, in words'),
      commands: z.array(Command).describe('Their arguments with `***` in place of each secret'),
      secrets: z
        .array(SecretPlace)
        .optional()
        .describe('Where secrets of the server belong; they are put in whenever the batch is sent'),
    }),
  }),
  defineRecord({
    type: 'results_received',
    doc: 'The results of a batch, recorded before they are acknowledged to the device and before the agent gets them.',
    schema: z.object({
      response_id: z.string(),
      duration_ms: z.number().default(0).describe('Milliseconds from sending the batch to its results'),
      results: z.array(Result),
    }),
  }),
  defineRecord({
    type: 'agent_step',
    doc: 'A decision of the agent; after a restart it is read from here instead of being made again.',
    schema: z.object({
      name: z.string(),
      value: z.unknown().describe("The agent's own value. A turn of a model has its `text`, `calls` and `usage`"),
    }),
  }),
  defineRecord({
    type: 'question',
    doc: 'The agent asks the user and waits.',
    schema: z.object({ question_id: z.string(), text: z.string(), expires_at: z.string().default('') }),
  }),
  defineRecord({
    type: 'answer',
    doc: 'The answer to a question; null if the question expired.',
    schema: z.object({ question_id: z.string(), text: z.string().nullable(), by: z.string().nullable().default(null) }),
  }),
  defineRecord({
    type: 'remark',
    doc: 'A remark that a user adds to the request while it runs.',
    schema: z.object({ text: z.string(), by: z.string().nullable().default(null) }),
  }),
  defineRecord({
    type: 'approval',
    doc: "A call waits for the approval of its device's owner (with the whole call), or was decided (with `decision` and `by`).",
    schema: z.object({
      ask_id: z.string(),
      device_id: z.string().optional(),
      session_id: z.string().optional(),
      call_id: z.string().optional(),
      tool: z.string().optional(),
      arguments_hash: z.string().optional(),
      summary: z.string().optional(),
      digest: z.string().optional(),
      expires_at: z.string().optional(),
      decision: z.enum(['allow', 'deny']).optional(),
      by: z.string().optional(),
    }),
  }),
  defineRecord({
    type: 'paused',
    doc: 'The device dropped and may return: the session waits for it.',
    schema: z.object({ reason: z.string() }),
  }),
  defineRecord({ type: 'resumed', doc: 'The device is back: the session continues.', schema: z.object({}) }),
  defineRecord({
    type: 'ended',
    doc: 'The end, recorded before it is reported to anyone. Exactly one per session.',
    schema: z.object({
      status: Ended,
      result: z.unknown().describe("The agent's own value"),
      error: z.string().nullable(),
      agent: z.string().nullable().describe('The agent that ran it; null if none had started'),
    }),
  }),
  defineRecord({
    type: 'delivered',
    doc: 'The constellation that requested the task has acknowledged the end. Recorded after `ended`, so event streams do not show it.',
    schema: z.object({ client_id: z.string() }),
  }),
] as const satisfies readonly RecordDescription[]

type AnyRecord = (typeof RECORDS)[number]

/** The types of records. */
export const RecordType = z.enum(RECORDS.map(({ type }) => type))
export type RecordType = AnyRecord['type']

/** The data of each type of record. */
export type RecordData = { [R in AnyRecord as R['type']]: z.output<R['schema']> }

/** The schema of each type of record. */
export const RECORD_SCHEMAS = Object.fromEntries(RECORDS.map(({ type, schema }) => [type, schema])) as {
  readonly [R in AnyRecord as R['type']]: R['schema']
}

/** Progress of a running session, which is not recorded: of a command, or of its agent. */
export const Progress = z.object({
  call_id: z.string().nullable().describe('The command that it concerns; null if it concerns the session'),
  tool: z.string().nullable(),
  progress: z.number().nullable().describe("In the tool's own units"),
  total: z.number().nullable(),
  message: z.string().nullable(),
  waits_for: WaitsFor.nullish().describe(
    'What the session waits for from now on; null if it runs again. Absent where that does not change',
  ),
})
export type Progress = z.infer<typeof Progress>
