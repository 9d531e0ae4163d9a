import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** Where the npm package for devices may be: in the package that was installed, or where a checkout makes it. */
const PLACES = ['../../orrery-device.tgz', '../../../../build/orrery-device.tgz']

/** Returns the path of the npm package for devices; undefined if there is none. */
export function devicePackage(): string | undefined {
  return PLACES.map((place) => fileURLToPath(new URL(place, import.meta.url))).find((path) => existsSync(path))
}
