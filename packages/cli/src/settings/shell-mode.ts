import { Option } from 'commander'
import { usageError } from '../terminal/errors.js'

/** What a device's shell tool may run: the programs of an allow-list, or everything. */
export type ShellMode = 'strict' | 'full'

/** The `--shell` option. */
export function shellOption(): Option {
  const meaning =
    'strict runs the programs of an allow-list, full everything (default: ORRERY_SHELL, else the configuration, else strict)'
  return new Option('--shell <mode>', meaning).choices(['strict', 'full'])
}

/** What the shell tool may run, in words. */
export function shellInWords(mode: ShellMode): string {
  return mode === 'strict'
    ? 'It runs the programs of an allow-list and asks about others (--shell full runs everything)'
    : 'It runs every program'
}

/** The mode from the flag or the environment; undefined leaves it to the configuration. */
export function chooseShell(flag: ShellMode | undefined): ShellMode | undefined {
  if (flag !== undefined) return flag
  const set = process.env['ORRERY_SHELL']
  if (set === undefined || set === '') return undefined
  if (set === 'strict' || set === 'full') return set
  throw usageError(`ORRERY_SHELL is '${set}'; it must be strict or full`)
}
