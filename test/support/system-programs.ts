import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/**
 * Whether programs of the system are there for a test. What is missing is installed where that is possible without asking: as
 * root, on Debian and its like. Otherwise the reason is printed and the test is to be skipped.
 * @param wanted the Debian package of each program, by the program's name
 */
export function systemPrograms(wanted: Readonly<Record<string, string>>): boolean {
  const missing = (): string[] => Object.keys(wanted).filter((name) => !isInstalled(name))
  if (missing().length === 0) return true
  const packages = [...new Set(missing().map((name) => wanted[name] ?? name))]
  if (process.getuid?.() !== 0 || !isInstalled('apt-get')) {
    console.warn(`skipped: these tests need ${missing().join(', ')} (Debian: apt-get install ${packages.join(' ')})`)
    return false
  }
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const apt = (...args: string[]): number | null => spawnSync('apt-get', args, { env, stdio: 'ignore' }).status
  const install = ['install', '-y', '--no-install-recommends', ...packages]
  // The lists of packages may be missing or old; they are fetched only then.
  if (apt(...install) !== 0 && (apt('update') !== 0 || apt(...install) !== 0)) {
    console.warn(`skipped: apt-get could not install ${packages.join(', ')}`)
    return false
  }
  return missing().length === 0
}

function isInstalled(name: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => existsSync(join(folder, name)))
}
