import type { z } from 'zod'

/**
 * The one description of a record of a session. The types of `append`, the parsing after a restart and the page of events come from it.
 */
export interface RecordDescription<Type extends string = string, Shape extends z.ZodRawShape = z.ZodRawShape> {
  /** What the record is called in the log and in events. */
  type: Type
  /** One line for the reference. */
  doc: string
  /** Its data. A field that was added later has a default, so that older logs can be read. */
  schema: z.ZodObject<Shape>
}

/** Describes a record; it only keeps the types exact. */
export function defineRecord<const Type extends string, Shape extends z.ZodRawShape>(
  description: RecordDescription<Type, Shape>,
): RecordDescription<Type, Shape> {
  return description
}
