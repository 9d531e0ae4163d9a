import { readFileSync, readdirSync } from 'node:fs'
import { readMark } from './mark.js'

/** What is known of a program that was started, and of what it has started itself. */
export interface Started {
  /** The leader of its process group. */
  leader: number
  /** Its mark; null leaves out what has left its sessions and its group. */
  mark: string | null
  /** Sessions that its children have reported to lead; null if they lead none. */
  sessions: ReadonlySet<number> | null
}

/**
 * Returns where a signal must go to reach everything that a program has started: numbers of processes, and process groups as negative
 * numbers, as `kill` takes them. Children come first: once the leader has ended, they can no longer be found. Beyond the own group on
 * Linux only. It waits for nothing, so it works while this process ends.
 */
export function targetsOf({ leader, mark, sessions }: Started): number[] {
  if (process.platform !== 'linux') return [-leader]
  const pids = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
  const groups = new Set([...(sessions === null ? [] : groupsInSessions(pids, sessions, leader)), leader])
  const marked = mark === null ? [] : pids.filter((pid) => readMark(pid) === mark)
  const others = marked.filter((pid) => !groups.has(statOf(pid)?.group ?? leader))
  return [...others, ...[...groups].map((group) => -group)]
}

/** The process groups in some sessions, and in those that children of a process lead, as the program in a pseudo-terminal does. */
function groupsInSessions(pids: readonly number[], known: ReadonlySet<number>, parent: number): number[] {
  const all = pids.flatMap((pid) => statOf(pid) ?? [])
  const led = all.filter((each) => each.parent === parent && each.session === each.pid).map((each) => each.session)
  const sessions = new Set([...known, ...led])
  return all.filter((each) => sessions.has(each.session)).map((each) => each.group)
}

interface Stat {
  pid: number
  parent: number
  group: number
  session: number
}

function statOf(pid: number): Stat | null {
  try {
    // The name of a process, in parentheses, may hold blanks and parentheses itself.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')
    return { pid, parent: Number(fields[1]), group: Number(fields[2]), session: Number(fields[3]) }
  } catch {
    return null
  }
}
