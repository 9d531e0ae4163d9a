import { ERRORS, type ErrorEntries } from '@orrery/aip'
import { CONSTELLATION_ERRORS } from '@orrery/constellation'
import { DEVICE_ERRORS } from '@orrery/device'
import { SERVER_ERRORS } from '@orrery/server'

/** The errors of all packages, by package. */
export const TABLES: Readonly<Record<string, { entries: ErrorEntries }>> = {
  aip: ERRORS,
  constellation: CONSTELLATION_ERRORS,
  device: DEVICE_ERRORS,
  server: SERVER_ERRORS,
}

/** One error of a table. */
export interface Listed {
  name: string
  code: string
  doc: string
  text: (values: object) => string
}

/** Every error of every table; `name` has the package too, because the SDK's codes may be others' as well. */
export const LISTED: readonly Listed[] = Object.entries(TABLES).flatMap(([name, { entries }]) =>
  Object.entries(entries).map(([code, { doc, text }]) => ({
    name: `${name}: ${code}`,
    code,
    doc,
    text: text as (values: object) => string,
  })),
)
