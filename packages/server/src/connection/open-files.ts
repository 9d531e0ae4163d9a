import { readFileSync } from 'node:fs'

/** Returns how many files and connections the system allows this process at once; no limit where it does not tell. */
export function openFiles(): number {
  try {
    const most = Number(/^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1])
    return Number.isNaN(most) ? Infinity : most
  } catch {
    return Infinity
  }
}
