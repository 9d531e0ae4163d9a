import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const run = promisify(execFile)

/** The file with the size of an installed device. */
export const SIZE_RECORD = join(ROOT, 'docs/install-size.json')

/** Packs all packages. @returns the paths of the tarballs */
export async function packed(folder: string): Promise<string[]> {
  await run('npm', ['pack', '--workspaces', '--pack-destination', folder, '--loglevel=error'], { cwd: ROOT })
  return readdirSync(folder)
    .filter((file) => file.endsWith('.tgz'))
    .map((file) => join(folder, file))
}

/** Returns whether a tarball is one of those that make a device. */
export function isPartOfDevice(tarball: string): boolean {
  return /orrery-(aip|log|device)-/.test(tarball)
}

/** Installs tarballs into an empty project. @returns its folder */
export async function installed(folder: string, tarballs: readonly string[]): Promise<string> {
  const path = mkdtempSync(join(folder, 'project-'))
  writeFileSync(join(path, 'package.json'), JSON.stringify({ name: 'project', private: true, type: 'module' }))
  await run('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error', ...tarballs], { cwd: path })
  return path
}

/** Bytes of all files in a folder. */
export function sizeOf(folder: string): number {
  return readdirSync(folder, { withFileTypes: true }).reduce((sum, entry) => {
    const path = join(folder, entry.name)
    return sum + (entry.isDirectory() ? sizeOf(path) : entry.isFile() ? statSync(path).size : 0)
  }, 0)
}
