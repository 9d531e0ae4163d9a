import { readFileSync, readdirSync } from 'node:fs'

/**
 * The process groups in some sessions, and in those that children of a process lead, as the program in a pseudo-terminal does; on Linux
 * only, elsewhere none. It waits for nothing, so it works while this process ends.
 */
export function groupsInSessions(known: ReadonlySet<number>, parent: number): number[] {
  if (process.platform !== 'linux') return []
  const all = readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? (statOf(Number(name)) ?? []) : []))
  const led = all.filter((each) => each.parent === parent && each.session === each.pid).map((each) => each.session)
  const sessions = new Set([...known, ...led])
  return [...new Set(all.filter((each) => sessions.has(each.session)).map((each) => each.group))]
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
