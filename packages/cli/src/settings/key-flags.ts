import { readFileSync } from 'node:fs'
import { messageOf } from '@orrery/aip'
import { usageError } from '../terminal/errors.js'

/** A key, and where it comes from in words for an error message. */
export interface FoundKey {
  key: string
  source: string
}

/** A flag with a key, and the one with a file that has it, which does not show the key in the list of processes. */
export interface KeyFlags {
  name: '--api-key' | '--token'
  value: string | undefined
  file: string | undefined
}

/** Returns the key that flags give; undefined if they give none. @throws {CliError} with exit code 2 */
export function keyOfFlags({ name, value, file }: KeyFlags): FoundKey | undefined {
  if (file === undefined) return value === undefined ? undefined : { key: value, source: name }
  if (value !== undefined) throw usageError(`Give ${name} or ${name}-file, not both`)
  let key: string
  try {
    key = readFileSync(file, 'utf8').trim()
  } catch (error) {
    throw usageError(`Cannot read the key for ${name}-file: ${messageOf(error)}`, error)
  }
  if (key === '') throw usageError(`The file ${file} has no key: ${name}-file names a file with a key and nothing else`)
  return { key, source: file }
}
