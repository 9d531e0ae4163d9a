import type { z } from 'zod'
import type { ClientType, Feature } from './values.js'

/** Where a message goes. */
export type Direction = 'to_server' | 'to_client'

/**
 * The only description of a message. Types, validation, dispatch tables, JSON Schema files and the protocol page come from it.
 * Several records may share a wire type: a confirmation, a heartbeat's answer and a task's acknowledgement are all `heartbeat`.
 */
export interface MessageRecord<
  Name extends string = string,
  Type extends string = string,
  Shape extends z.ZodRawShape = z.ZodRawShape,
> {
  name: Name
  /** The value of `type` on the wire. */
  type: Type
  direction: Direction
  /** The kinds of client that send it, or that it is sent to. */
  roles: readonly ClientType[]
  /** Sent only to a peer that negotiated this feature. */
  feature?: Feature
  /** Fields that are left out if unset; every other unset field is `null`. */
  leftOut?: readonly string[]
  /** Names of this message in the documents: the documented dialect writes the first and accepts all. */
  documented: readonly [string, ...string[]]
  /** What the documented dialect writes for a status, if it differs. */
  documentedStatus?: string
  /** One line for the reference. */
  doc: string
  schema: z.ZodObject<Shape>
}

/** A decoded message: every field present, unset ones `null`. */
export type MessageOf<R extends MessageRecord> = z.output<R['schema']>

/** Declares a message; it only keeps the types exact. */
export function defineMessage<const Name extends string, const Type extends string, Shape extends z.ZodRawShape>(
  record: MessageRecord<Name, Type, Shape>,
): MessageRecord<Name, Type, Shape> {
  return record
}
