import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Returns whether all these programs are on the `PATH`. */
export function hasPrograms(...names: readonly string[]): boolean {
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  return names.every((name) => folders.some((folder) => existsSync(join(folder, name))))
}
