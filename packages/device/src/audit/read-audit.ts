import { readFile, readdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { AuditEntry } from './audit-log.js'

/**
 * Reads the audit of a device, those files included that were put aside; oldest entry first, none if there is no audit. A line
 * that is half written is ignored.
 * @param path of the newest file, as in `AuditLogOptions`
 * @throws Error of the file system if a file cannot be read
 */
export async function readAudit(path: string): Promise<AuditEntry[]> {
  const [folder, name] = [dirname(path), basename(path)]
  const ages = (await readdir(folder).catch(nothingIfMissing)).flatMap((file) => {
    if (file === name) return [0]
    const age = file.startsWith(`${name}.`) ? Number(file.slice(name.length + 1)) : Number.NaN
    return Number.isInteger(age) && age > 0 ? [age] : []
  })
  const entries: AuditEntry[] = []
  for (const age of ages.toSorted((a, b) => b - a)) {
    // The device may put files aside meanwhile.
    const text = await readFile(join(folder, age === 0 ? name : `${name}.${age}`), 'utf8').catch(nothingIfMissing)
    if (typeof text === 'string') entries.push(...text.split('\n').flatMap(entryOf))
  }
  return entries
}

function nothingIfMissing(error: unknown): [] {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
  throw error
}

function entryOf(line: string): AuditEntry[] {
  try {
    const value: unknown = JSON.parse(line)
    return isEntry(value) ? [value] : []
  } catch {
    return []
  }
}

/** The audit is written by `AuditLog` alone, so an object with a time and a tool is an entry. */
function isEntry(value: unknown): value is AuditEntry {
  return typeof value === 'object' && value !== null && 'time' in value && 'tool' in value
}
