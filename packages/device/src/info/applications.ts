import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DEVICE_LIMITS } from '../limits.js'

/** Where desktops find their applications. */
const FOLDERS: Readonly<Record<string, readonly string[]>> = {
  linux: ['/usr/share/applications', '/usr/local/share/applications', '/var/lib/flatpak/exports/share/applications'],
  darwin: ['/Applications', '/System/Applications'],
}

/**
 * Returns the names of the applications that the desktop of this machine shows, sorted; empty where they are not known without starting
 * a program.
 */
export function installedApplications(folders: readonly string[] = FOLDERS[process.platform] ?? []): string[] {
  const names = folders.flatMap((folder) => filesIn(folder).flatMap((file) => nameOf(folder, file) ?? []))
  return [...new Set(names)].sort().slice(0, DEVICE_LIMITS.applications)
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function nameOf(folder: string, file: string): string | null {
  if (file.endsWith('.app')) return file.slice(0, -'.app'.length)
  if (!file.endsWith('.desktop')) return null
  try {
    // Of the file, only the part about the application itself, not about its actions.
    const [entry = ''] = readFileSync(join(folder, file), 'utf8').split(/^\[(?!Desktop Entry\])/m)
    if (/^(NoDisplay|Hidden)=true\s*$/m.test(entry) || !/^Type=Application\s*$/m.test(entry)) return null
    return /^Name=(.+)$/m.exec(entry)?.[1]?.trim().slice(0, DEVICE_LIMITS.applicationName) ?? null
  } catch {
    return null
  }
}
