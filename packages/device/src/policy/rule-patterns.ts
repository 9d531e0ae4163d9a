import { isAbsolute } from 'node:path'
import { matchesList, matchesName } from '../paths/glob.js'
import { otherSubcommand } from './plain-programs.js'
import { commandsIn, isRisky, programName, startsPrograms } from './programs.js'

/** A command as it will run. */
export interface CommandFacts {
  argv: readonly string[]
  /** The absolute program behind a bare name, in a folder that only the system's administrator writes to; null if it is none. */
  systemProgram: string | null
}

/**
 * Returns whether a pattern grants a command. A bare name means only the program of the system. Wildcards match neither programs that
 * start others, nor options or subcommands that do: those have to be named.
 */
export function grantsCommand(pattern: readonly string[], { argv, systemProgram }: CommandFacts): boolean {
  const [first = '', ...rest] = pattern
  const [program = '', ...args] = argv
  if (!grantsProgram(first, program, systemProgram)) return false
  // With `**` in front the wildcard takes every word.
  const words = first === '**' ? pattern : rest
  const named = new Set(words.filter((word) => !isWildcard(word)))
  const other = otherSubcommand(argv)
  if (other !== null && !named.has(other)) return false
  return matchesList(words, args, matchesWord, '**') && args.every((arg) => named.has(arg) || !isRisky(program, arg))
}

function grantsProgram(wanted: string, program: string, systemProgram: string | null): boolean {
  if (isAbsolute(wanted) && !isWildcard(wanted)) return program === wanted || systemProgram === wanted
  if (systemProgram === null) return false
  const name = programName(systemProgram)
  if (!isWildcard(wanted)) return wanted === name
  return (wanted === '**' || matchesWord(wanted, name)) && !startsPrograms(program)
}

/** Returns whether a pattern restricts a command: this one, wherever its program lies, or one that it could start. */
export function restrictsCommand(pattern: readonly string[], argv: readonly string[]): boolean {
  const [first = ''] = pattern
  return commandsIn(argv).some(([program = '', ...args]) => {
    const name = programName(first) === first ? programName(program) : program
    return withoutFirstOptions(args).some((rest) => matchesList(pattern, [name, ...rest], matchesWord, '**'))
  })
}

/** The arguments, and what is left of them behind options in front, such as `push` in `git -C folder push`. */
function withoutFirstOptions(args: readonly string[]): readonly string[][] {
  const ways = [[...args]]
  for (
    let at = 1;
    at < args.length && (args[at - 1]?.startsWith('-') === true || args[at - 2]?.startsWith('-') === true);
    at += 1
  )
    ways.push(args.slice(at))
  return ways
}

function matchesWord(wanted: string, word: string): boolean {
  return isWildcard(wanted) ? matchesName(wanted, word) : wanted === word
}

function isWildcard(wanted: string): boolean {
  return /[*?]/.test(wanted)
}

/** Returns whether a host matches a pattern; without a port in the pattern, any port. @param host `name` or `name:port` */
export function matchesHost(pattern: string, host: string): boolean {
  const wanted = pattern.toLowerCase()
  const given = host.toLowerCase()
  return matchesName(wanted, given) || (!/:\d+$/.test(wanted) && matchesName(wanted, given.replace(/:\d+$/, '')))
}
