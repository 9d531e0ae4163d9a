import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'

/**
 * Returns the key in a file. If the file is missing or empty, writes a key of 32 random bytes, readable only by its owner.
 * @throws Error of the file system if the file can be neither read nor written
 */
export function ensureKeyFile(path: string): string {
  const found = keyIn(path)
  if (found !== null) return found
  const key = randomBytes(32).toString('base64url')
  try {
    // 'wx': if two servers start at the same moment, the second uses the key of the first.
    writeFileSync(path, `${key}\n`, { mode: 0o600, flag: existsSync(path) ? 'w' : 'wx' })
    return key
  } catch (error) {
    const other = keyIn(path)
    if (other !== null) return other
    throw error
  }
}

function keyIn(path: string): string | null {
  const text = existsSync(path) ? readFileSync(path, 'utf8').trim() : ''
  return text === '' ? null : text
}
