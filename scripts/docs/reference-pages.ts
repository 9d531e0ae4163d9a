import { ERRORS, LIMITS, LIMITS_TABLE, type ErrorEntries, type LimitsTable } from '@orrery/aip'
import { CONSTELLATION_ERRORS } from '@orrery/constellation'
import {
  DESKTOP_LIMITS_TABLE,
  DEVICE_ERRORS,
  DEVICE_LIMITS_TABLE,
  FILE_LIMITS_TABLE,
  PDF_LIMITS_TABLE,
  SHELL_LIMITS_TABLE,
} from '@orrery/device'
import { GRAPH_LIMITS_TABLE } from '@orrery/graph'
import { ERROR_STATUS, SERVER_ERRORS, SERVER_LIMITS_TABLE } from '@orrery/server'
import { GENERATED, code, markdownTable } from './markdown.ts'

const ERROR_TABLES: readonly [title: string, doc: string, table: { entries: ErrorEntries }][] = [
  ['The protocol', 'Errors that more than one part of Orrery reports, or that travel between them.', ERRORS],
  ['The constellation client', 'Errors of `ConstellationClient`; each names its device.', CONSTELLATION_ERRORS],
  ['The device', 'Errors that a device reports, as the error of a result.', DEVICE_ERRORS],
  ['The server', 'Errors of the server, its sessions and its HTTP API.', SERVER_ERRORS],
]

/** The page of all errors, by package. */
export function errorsPage(): string {
  const status: Readonly<Record<string, number>> = ERROR_STATUS
  const sections = ERROR_TABLES.map(([title, doc, { entries }]) => {
    const withStatus = entries === ERRORS.entries || entries === SERVER_ERRORS.entries
    const all = Object.entries(entries).map(([name, error]) => [
      code(name),
      String(status[name]),
      error.doc,
      code(exampleOf(error.text)),
    ])
    const rows = withStatus ? all : all.map((row) => row.toSpliced(1, 1))
    const headers = withStatus ? ['code', 'status', 'when', 'text'] : ['code', 'when', 'text']
    return `## ${title}\n\n${doc}\n\n${markdownTable(headers, rows)}`
  })
  return `${GENERATED}# Errors

Every error that Orrery reports, by its code. In the HTTP API an error is \`{"detail": text, "code": NAME}\` with the status below; on the
wire only the text travels, as \`error\` of a message or of a result. No error text is longer than ${LIMITS.errorText} bytes.

${sections.join('\n')}`
}

/** The text with the names of its values in their places. */
function exampleOf(text: (...values: never) => string): string {
  const names = new Proxy({}, { get: (_, key) => `<${String(key)}>` })
  return (text as (values: object) => string)(names)
}

const LIMITS_TABLES: readonly [title: string, table: LimitsTable][] = [
  ['The protocol, and what both ends share', LIMITS_TABLE],
  ['The server', SERVER_LIMITS_TABLE],
  ['Workflow files', GRAPH_LIMITS_TABLE],
  ['The device', DEVICE_LIMITS_TABLE],
  ['The tools `files`', FILE_LIMITS_TABLE],
  ['The tools `shell`', SHELL_LIMITS_TABLE],
  ['The tools `desktop`', DESKTOP_LIMITS_TABLE],
  ['The tools `pdf`', PDF_LIMITS_TABLE],
]

/** The page of all limits. */
export function limitsPage(): string {
  const sections = LIMITS_TABLES.map(([title, table]) => {
    const rows = Object.entries(table).map(([name, { value, unit, doc }]) => [code(name), shown(value, unit), doc])
    return `## ${title}\n\n${markdownTable(['name', 'value', 'what it bounds'], rows)}`
  })
  return `${GENERATED}# Limits

Every limit of the protocol, the server, and the device with its tools, from the tables in the code. Those of models that a user can set
are in [models.md](models.md).

${sections.join('\n')}`
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
