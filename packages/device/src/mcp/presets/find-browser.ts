import { access } from 'node:fs/promises'
import { join } from 'node:path'
import type { Environment } from '../../process/child-environment.js'
import { findProgram } from '../../process/find-program.js'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome', 'microsoft-edge', 'msedge']

/** The absolute path of the system's Chromium, or of a browser built on it; null if there is none. */
export async function findBrowser(env: Environment): Promise<string | null> {
  for (const name of NAMES) {
    const found = await findProgram(name, env)
    if (found !== null) return found
  }
  for (const path of usualPlaces(env)) {
    const found = await access(path).then(
      () => true,
      () => false,
    )
    if (found) return path
  }
  return null
}

/** Where browsers lie that are not on the `PATH`. */
function usualPlaces(env: Environment): string[] {
  if (process.platform === 'darwin')
    return ['Google Chrome', 'Chromium', 'Microsoft Edge'].map((name) => `/Applications/${name}.app/Contents/MacOS/${name}`)
  if (process.platform !== 'win32') return []
  const ends = ['Google\\Chrome\\Application\\chrome.exe', 'Microsoft\\Edge\\Application\\msedge.exe']
  return [env['PROGRAMFILES'], env['PROGRAMFILES(X86)'], env['LOCALAPPDATA']].flatMap((folder) =>
    folder === undefined ? [] : ends.map((end) => join(folder, end)),
  )
}
