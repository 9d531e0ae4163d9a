import { lstat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { destinationOf, pathFrom } from '../paths/destination.js'
import { DEVICE_LIMITS } from '../limits.js'
import type { Environment } from '../process/child-environment.js'
import { findProgram, isProgram } from '../process/find-program.js'
import type { CallEffects } from './call-effects.js'
import { hostsInArguments, hostsInWords } from './hosts.js'
import { showsAllItStarts } from './plain-programs.js'
import type { CommandFacts } from './rule-patterns.js'
import { SYSTEM_PATH, shellCommand, systemProgramAt, type ShellMode } from './shell-policy.js'
import { splitCommand } from './split-command.js'

/** A command as the tool gives it to the system, and the real folder in which it runs. */
export interface CommandToRun {
  argv: readonly string[]
  cwd: string
}

/** Everything that rules look at. */
export interface CallFacts {
  run: CommandToRun | null
  /** The command by its words, where a line for a shell does nothing but run them. */
  command: CommandFacts | null
  /** Whether the call may start programs that its arguments do not show. */
  opaque: boolean
  /** Whether the call sets variables that may change what its command does, which no rule can cover. */
  setsVariables: boolean
  /** Real paths; where links lead elsewhere, the paths as given; and the real and given paths that words of a command name. */
  paths: { real: readonly string[]; given: readonly string[]; named: readonly string[] }
  hosts: readonly string[]
}

/** What the facts about a call depend on. */
export interface CallSurroundings {
  shell: ShellMode
  /** The folder in which commands run unless they name another. */
  cwd: string
  /** The device's own environment. */
  env: Environment
}

/**
 * Finds out what rules can know about a call.
 * @param args of the call
 * @param effects null for tools of which nothing is known but the arguments
 * @param namesPaths whether a rule is about paths, so that the words of a command have to be looked at
 * @throws AipError as `destinationOf` does
 */
export async function factsOf(
  args: Record<string, unknown>,
  effects: CallEffects | null,
  surroundings: CallSurroundings,
  namesPaths: boolean,
): Promise<CallFacts> {
  const paths = (effects?.paths ?? []).map(({ path }) => path)
  const real = await Promise.all(paths.map(async (path) => (await destinationOf(path)).real))
  const given = paths.map((path) => resolve(path))
  const hosts = [...(effects?.hosts ?? []), ...hostsInArguments(args)]
  const setsVariables = (effects?.variables ?? []).length > 0
  const run = await commandOf(effects, surroundings)
  if (run === null) return { run, command: null, opaque: false, setsVariables, paths: { real, given, named: [] }, hosts }
  const words = wordsOf(run.argv, surroundings.shell)
  const shown = words ?? run.argv
  const systemProgram = await systemProgramOf(shown[0] ?? '', run.cwd, surroundings)
  const tooMany = namesPaths && shown.length > DEVICE_LIMITS.judgedWords
  const plain = words !== null && systemProgram !== null && showsAllItStarts(words, effects?.terminal)
  return {
    run,
    command: { argv: shown, systemProgram },
    opaque: !plain || setsVariables || tooMany,
    setsVariables,
    paths: { real, given, named: namesPaths && !tooMany ? await pathsInWords(shown, run.cwd) : [] },
    hosts: [...hosts, ...hostsInWords(shown)],
  }
}

/** The command of a call, and the real folder in which it runs. @throws AipError as `destinationOf` does */
export async function commandOf(effects: CallEffects | null, { cwd }: { cwd: string }): Promise<CommandToRun | null> {
  if (effects?.argv === undefined) return null
  const folder = effects.paths?.find(({ access }) => access === 'run')?.path ?? cwd
  return { argv: effects.argv, cwd: (await destinationOf(folder)).real }
}

/** The words of a line for the system's shell, if the shell would do nothing but run them; null if it would do more. */
function wordsOf(argv: readonly string[], mode: ShellMode): readonly string[] | null {
  const [file, flag, line] = argv
  const { file: shell, args } = shellCommand(line ?? '')
  const isLine = mode === 'full' && argv.length === args.length + 1 && file === shell && flag === args[0]
  if (!isLine) return argv
  try {
    const words = splitCommand(argv.at(-1) ?? '')
    return words.length === 0 || /^[A-Za-z_]\w*=/.test(words[0] ?? '') ? null : words
  } catch {
    return null
  }
}

/** The absolute path of a program of the system: found by its bare name, or named with a folder of the system. */
async function systemProgramOf(program: string, cwd: string, { shell, env }: CallSurroundings): Promise<string | null> {
  if (program === '') return null
  if (/[/\\]/.test(program)) return systemProgramAt(program, cwd)
  // With an open shell the first folder on the PATH counts, and only if it is one of the system.
  if (shell === 'full') {
    const found = await findProgram(program, env)
    return found !== null && SYSTEM_PATH.includes(dirname(found)) ? found : null
  }
  for (const folder of SYSTEM_PATH) if (await isProgram(join(folder, program))) return join(folder, program)
  return null
}

/** Words of a command, and values in them, that are paths: with a separator, or of something that exists. Real and as given. */
async function pathsInWords(argv: readonly string[], cwd: string): Promise<string[]> {
  const found: string[] = []
  for (const word of argv.slice(1)) {
    // A value may be stuck to the last one of a few letters.
    const stuck = /^-[^-]/.test(word) ? [2, 3, 4, 5].map((start) => word.slice(start)) : [word]
    for (const candidate of new Set([...stuck, word.slice(word.indexOf('=') + 1)])) {
      if (candidate === '' || candidate.includes('\0')) continue
      const path = pathFrom(cwd, candidate)
      const isPath = candidate.includes('/') || (await lstat(path).catch(() => null)) !== null
      if (!isPath) continue
      const destination = await destinationOf(path).catch(() => null)
      found.push(resolve(path), ...(destination === null ? [] : [destination.real]))
    }
  }
  return [...new Set(found)]
}
