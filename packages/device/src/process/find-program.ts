import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { delimiter, isAbsolute, join } from 'node:path'
import type { Environment } from './child-environment.js'

/**
 * The absolute path of a program on the `PATH` of an environment, or null if it is not installed. Relative folders of the `PATH` are
 * passed over: they would mean another program in each folder.
 */
export async function findProgram(name: string, env: Environment): Promise<string | null> {
  const folders = (env['PATH'] ?? env['Path'] ?? '').split(delimiter).filter((folder) => isAbsolute(folder))
  const endings = process.platform === 'win32' ? ['.exe', '.cmd', ''] : ['']
  for (const folder of folders) {
    for (const ending of endings) {
      const file = join(folder, name + ending)
      const found = await access(file, constants.X_OK).then(
        () => true,
        () => false,
      )
      if (found) return file
    }
  }
  return null
}
