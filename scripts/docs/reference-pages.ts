import { ERRORS, LIMITS_TABLE } from '@orrery/aip'
import { GENERATED, code, markdownTable } from './markdown.ts'

/** The page of all errors. */
export function errorsPage(): string {
  const rows = Object.entries(ERRORS).map(([name, { http, doc, text }]) => [code(name), String(http), doc, code(exampleOf(text))])
  return `${GENERATED}# Errors

Every error that Orrery reports, by its code. In the HTTP API an error is \`{"detail": text, "code": NAME}\` with the status below; on the
wire only the text travels, as \`error\` of a message or of a result. No error text is longer than 4096 bytes.

${markdownTable(['code', 'status', 'when', 'text'], rows)}`
}

/** The text with the names of its values in their places. */
function exampleOf(text: (...values: never[]) => string): string {
  const names = new Proxy({}, { get: (_, key) => `<${String(key)}>` })
  return (text as (values: object) => string)(names)
}

/** The page of all limits. */
export function limitsPage(): string {
  const rows = Object.entries(LIMITS_TABLE).map(([name, { value, unit, doc }]) => [code(name), shown(value, unit), doc])
  return `${GENERATED}# Limits

Every limit of the protocol and of the server, from the one table in the code.

${markdownTable(['name', 'value', 'what it bounds'], rows)}`
}

function shown(value: number, unit: string): string {
  if (unit === 'ms') return value % 1000 === 0 ? `${value / 1000} s` : `${value} ms`
  if (unit === 'bytes') {
    for (const [name, size] of [
      ['GiB', 1024 ** 3],
      ['MiB', 1024 ** 2],
      ['KiB', 1024],
    ] as const)
      if (value % size === 0) return `${value / size} ${name}`
  }
  return `${value} ${unit}`
}
