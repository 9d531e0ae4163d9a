import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'

/** The variable that every program gets and passes on to what it starts: it identifies a process that has left its group and session. */
export const MARK_VARIABLE = 'ORRERY_STARTED_BY'

const run = randomBytes(16).toString('hex')
let count = 0

/** What all marks of this process begin with, and no others. */
export const RUN_MARK = `${run}.`

/** A mark for one program and everything that it starts. */
export function newMark(): string {
  count += 1
  return `${RUN_MARK}${count}`
}

/** Returns the mark that a process was started with, or null if it has none, has ended, or belongs to another user. Linux only. */
export function readMark(pid: number): string | null {
  try {
    const name = `${MARK_VARIABLE}=`
    const found = readFileSync(`/proc/${pid}/environ`, 'latin1')
      .split('\0')
      .find((entry) => entry.startsWith(name))
    return found?.slice(name.length) ?? null
  } catch {
    return null
  }
}
