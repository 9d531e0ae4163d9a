import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Where Linux has one folder for each connector of a graphics card. */
const DRM = '/sys/class/drm'

/**
 * Returns the resolution of the first screen that is connected, such as `1920x1080`; null where there is none or it is not known without
 * starting a program.
 */
export function screenResolution(folder = DRM): string | null {
  try {
    for (const connector of readdirSync(folder).sort()) {
      const [preferred] = modesOf(join(folder, connector))
      if (preferred !== undefined) return preferred
    }
  } catch {
    // Other systems have no such folder.
  }
  return null
}

/** The modes of the screen at a connector, the preferred one first. */
function modesOf(connector: string): string[] {
  try {
    if (readFileSync(join(connector, 'status'), 'utf8').trim() !== 'connected') return []
    return readFileSync(join(connector, 'modes'), 'utf8').match(/^\d+x\d+/gm) ?? []
  } catch {
    // The card itself, which is not a connector.
    return []
  }
}
