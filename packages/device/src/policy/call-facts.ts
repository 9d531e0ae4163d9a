import { lstat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { destinationOf, pathFrom } from '../paths/destination.js'
import { DEVICE_LIMITS } from '../limits.js'
import type { Environment } from '../process/child-environment.js'
import { findProgram, isProgram } from '../process/find-program.js'
import type { CallEffects, PathEffect } from './call-effects.js'
import { hostsInArguments, hostsInWords } from './hosts.js'
import { showsAllItStarts } from './plain-programs.js'
import { programName } from './programs.js'
import type { CommandFacts } from './rule-patterns.js'
import { SYSTEM_PATH, shellCommand, systemProgramAt, type ShellMode } from './shell-policy.js'
import { splitCommand } from './split-command.js'

/** A command as the tool gives it to the system, and the real folder in which it runs. */
export interface CommandToRun {
  argv: readonly string[]
  cwd: string
}

/** What a call works on. */
export interface TouchedPaths {
  /** With all links followed. */
  real: readonly string[]
  /** As they are given, absolute. */
  given: readonly string[]
  /** What the words of a command name, both ways. */
  named: readonly string[]
  /** Real folders of which all contents may be read or changed. */
  deep: readonly string[]
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
  paths: TouchedPaths
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
  const real = await Promise.all((effects?.paths ?? []).map(realPath))
  const given = paths.map((path) => resolve(path))
  const hosts = [...(effects?.hosts ?? []), ...hostsInArguments(args)]
  const deep = real.filter((_, at) => effects?.paths?.[at]?.deep === true)
  const setsVariables = (effects?.variables ?? []).length > 0
  const run = await commandOf(effects, surroundings)
  if (run === null) return { run, command: null, opaque: false, setsVariables, paths: { real, given, named: [], deep }, hosts }
  const words = wordsOf(run.argv, surroundings.shell)
  const shown = words ?? run.argv
  const systemProgram = await systemProgramOf(shown[0] ?? '', run.cwd, surroundings)
  const inWords = namesPaths ? await pathsInWords(shown, run.cwd) : { named: [], deep: [] }
  const plain = words !== null && systemProgram !== null && showsAllItStarts(words, effects?.terminal)
  return {
    run,
    command: { argv: shown, systemProgram },
    opaque: !plain || setsVariables || inWords === null,
    setsVariables,
    paths: { real, given, named: inWords?.named ?? [], deep: inWords?.deep ?? [] },
    hosts: [...hosts, ...hostsInWords(shown)],
  }
}

/** Where a path leads; of an entry itself only the folder that holds it. */
async function realPath({ path, entry }: PathEffect): Promise<string> {
  // Of everything but links the system's own spelling counts.
  const isLink = entry === true && (await lstat(path).catch(() => null))?.isSymbolicLink() === true
  if (!isLink) return (await destinationOf(path)).real
  return join((await destinationOf(dirname(path))).real, basename(path))
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

/** Programs that show nothing of what is in the files of a folder, and leave it as it is. */
const SHALLOW: ReadonlySet<string> = new Set(
  'ls find stat du df tree which whereis basename dirname realpath readlink test [ pwd mkdir'.split(' '),
)

/**
 * The paths that words of a command name, and parts of words that may be values: with a separator, or of something that exists.
 * @returns null where there are too many to look at
 */
async function pathsInWords(argv: readonly string[], cwd: string): Promise<Pick<TouchedPaths, 'named' | 'deep'> | null> {
  const [program = '', ...args] = argv
  const candidates = new Set(args.flatMap(valuesIn))
  if (candidates.size > DEVICE_LIMITS.judgedWords) return null
  const named = new Set<string>()
  const deep = new Set(args.some((arg) => /^(-[A-Za-z\d]*[rR]|--(dereference-)?rec)/.test(arg)) ? [cwd] : [])
  for (const candidate of candidates) {
    const path = pathFrom(cwd, candidate)
    const found = await destinationOf(path).catch(() => null)
    if (!candidate.includes('/') && found?.exists !== true) continue
    named.add(resolve(path))
    if (found === null) continue
    named.add(found.real)
    if ((await lstat(found.real).catch(() => null))?.isDirectory() === true) deep.add(found.real)
  }
  return { named: [...named], deep: SHALLOW.has(programName(program)) ? [] : [...deep] }
}

/** A word, what follows one of the signs before values in it, and what may be stuck to one of the letters of an option. */
function valuesIn(word: string): string[] {
  const signs = [...word.matchAll(/[=:@,]/g)].map(({ index }) => index + 1)
  const slash = word.indexOf('/')
  const letters = /^-[^-]/.test(word) ? Array.from({ length: (slash < 0 ? word.length : slash + 1) - 2 }, (_, at) => at + 2) : []
  const starts = [0, ...signs, ...letters].filter((start) => word.length - start <= DEVICE_LIMITS.pathLength)
  return starts.map((start) => word.slice(start)).filter((value) => value !== '' && !value.includes('\0'))
}
