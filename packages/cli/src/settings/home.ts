import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { makeFolder } from '@orrery/log/make-folder'
import { CliError } from '../terminal/errors.js'
import { type FoundKey, type KeyFlags, keyOfFlags } from './key-flags.js'

/** The keys of a server, by the name of their file. */
export type KeyFile = 'operator.key' | 'device.key'

/** The folder of everything that this program keeps on this machine: `ORRERY_HOME`, else `~/.orrery`. */
export function orreryHome(): string {
  const set = process.env['ORRERY_HOME']
  return set === undefined || set === '' ? join(homedir(), '.orrery') : resolve(set)
}

/** A path in the folder, whether it exists or not. */
export function inHome(...parts: string[]): string {
  return join(orreryHome(), ...parts)
}

/** Makes the folder, readable by its owner alone. */
export function makeHome(): string {
  const home = orreryHome()
  try {
    makeFolder(home)
  } catch (cause) {
    throw new CliError(`Cannot make the folder ${home}: set ORRERY_HOME to one that can be written`, undefined, { cause })
  }
  return home
}

/** The key in a file of the folder, or undefined if there is none. */
export function readKey(name: KeyFile): FoundKey | undefined {
  const path = inHome(name)
  if (!existsSync(path)) return undefined
  try {
    const key = readFileSync(path, 'utf8').trim()
    return key === '' ? undefined : { key, source: path }
  } catch (cause) {
    throw new CliError(
      `Cannot read the key in ${path}: only its owner may; use --api-key-file, --api-key or ORRERY_API_KEY`,
      undefined,
      {
        cause,
      },
    )
  }
}

/** The key in a file of the folder; made, readable by its owner alone, if there is none. */
export async function ensureKey(name: KeyFile): Promise<string> {
  makeHome()
  const found = readKey(name)
  if (found !== undefined) return found.key
  const { ensureKeyFile } = await import('@orrery/server')
  const path = inHome(name)
  try {
    return ensureKeyFile(path)
  } catch (cause) {
    throw new CliError(`Cannot write the key ${path}: set ORRERY_HOME to a folder that can be written`, undefined, { cause })
  }
}

/** The key from flags, the environment or a file of the folder, in this order. @throws {CliError} with exit code 2 for wrong flags */
export function findKey(flags: KeyFlags, file: KeyFile): FoundKey | undefined {
  const given = keyOfFlags(flags)
  if (given !== undefined) return given
  const environment = process.env['ORRERY_API_KEY']
  if (environment !== undefined && environment !== '') return { key: environment, source: 'ORRERY_API_KEY' }
  return readKey(file)
}
