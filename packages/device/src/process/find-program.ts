import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { delimiter, isAbsolute, join, win32 } from 'node:path'
import type { Environment } from './child-environment.js'

/**
 * The absolute path of a program on the `PATH` of an environment, or null if it is not installed. Relative folders of the `PATH` are
 * ignored: they would mean another program in each folder.
 */
export async function findProgram(name: string, env: Environment): Promise<string | null> {
  const folders = (env['PATH'] ?? env['Path'] ?? '').split(delimiter).filter((folder) => isAbsolute(folder))
  const endings = process.platform === 'win32' ? ['.exe', '.cmd', ''] : ['']
  for (const folder of folders) {
    for (const ending of endings) {
      const file = join(folder, name + ending)
      if (await isProgram(file)) return file
    }
  }
  return null
}

/** Returns whether there is a file that may be run; a folder, which may be entered, is none. */
export async function isProgram(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK)
    return (await stat(file)).isFile()
  } catch {
    return false
  }
}

/** The absolute path of a program that comes with Windows. By its name alone, the system would look in the working folder first. */
export function systemTool(name: string): string {
  return win32.join(process.env['SystemRoot'] ?? String.raw`C:\Windows`, 'System32', name)
}

/**
 * What to start for the name or path of a program. Windows looks for a bare name in the working folder first, where anything that writes
 * files could put a program of this name, so there it is found here; null if it is not on the `PATH`.
 */
export async function programToRun(program: string, env: Environment, platform = process.platform): Promise<string | null> {
  return platform !== 'win32' || /[/\\]/.test(program) ? program : findProgram(program, env)
}
