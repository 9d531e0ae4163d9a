import { z } from 'zod'
import { code, markdownTable, typeName } from './markdown.ts'

/** A table of the fields of an object, with what their schemas say of them. */
export function describedFields(schema: z.ZodObject): string {
  const fields = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }).properties ?? {}
  return markdownTable(
    ['field', 'type', 'what it is'],
    Object.entries(fields).map(([name, field]) => [
      code(name),
      typeName(field),
      typeof field === 'object' ? (field.description ?? '') : '',
    ]),
  )
}
