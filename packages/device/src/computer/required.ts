import { aipError } from '@orrery/aip'

/** Returns an argument that must be given: callers in plain JavaScript have no compiler that asks for it. @throws AipError `INVALID_INPUT` */
export function required<T>(name: string, value: T | null | undefined): T {
  if (value === undefined || value === null) throw aipError('INVALID_INPUT', { detail: `${name} is required.` })
  return value
}
