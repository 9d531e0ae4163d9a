import { spawnSync } from 'node:child_process'
import { hasPrograms } from './has-programs.js'

/**
 * Returns whether programs of the system are there for a test, and installs what is missing where that is possible without
 * asking: as root, on Debian and its like. Otherwise it prints the reason, and the test is to be skipped. Only tests of the
 * project `system` may call it.
 * @param wanted the Debian package of each program, by the program's name
 */
export function systemPrograms(wanted: Readonly<Record<string, string>>): boolean {
  const missing = (): string[] => Object.keys(wanted).filter((name) => !hasPrograms(name))
  if (missing().length === 0) return true
  const packages = [...new Set(missing().map((name) => wanted[name] ?? name))]
  if (process.getuid?.() !== 0 || !hasPrograms('apt-get')) {
    console.warn(`skipped: these tests need ${missing().join(', ')} (Debian: apt-get install ${packages.join(' ')})`)
    return false
  }
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const apt = (...args: string[]): number | null => spawnSync('apt-get', args, { env, stdio: 'ignore' }).status
  // Two test files may install at once: the second waits for the lock of the first.
  const install = ['-o', 'DPkg::Lock::Timeout=300', 'install', '-y', '--no-install-recommends', ...packages]
  // The lists of packages may be missing or old; they are fetched only then.
  if (apt(...install) !== 0 && (apt('update') !== 0 || apt(...install) !== 0)) {
    console.warn(`skipped: apt-get could not install ${packages.join(', ')}`)
    return false
  }
  return missing().length === 0
}
