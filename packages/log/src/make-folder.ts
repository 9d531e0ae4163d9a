import { existsSync, mkdirSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'

/**
 * Makes a folder, and those above it that are missing, for this user alone. Node's own recursive way never ends where the system says that a
 * folder is missing right after it was made, as below `/proc`.
 * @throws the system's error
 */
export function makeFolder(path: string): void {
  const missing: string[] = []
  let at = resolve(path)
  for (; !existsSync(at) && dirname(at) !== at; at = dirname(at)) missing.unshift(at)
  for (const folder of missing) {
    try {
      mkdirSync(folder, { mode: 0o700 })
    } catch (error) {
      // Another process may have made it meanwhile.
      if (!isFolder(folder)) throw error
    }
  }
  // A file in its place: the system says what is wrong.
  if (!isFolder(path)) mkdirSync(path, { mode: 0o700 })
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
}
