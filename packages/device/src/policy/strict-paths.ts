import { stat } from 'node:fs/promises'
import { messageOf } from '@orrery/aip'
import { destinationOf, pathFrom, type Destination } from '../paths/destination.js'
import { readOptions } from './option-grammar.js'
import { PolicyViolation } from './policy-violation.js'
import type { Roots } from './roots.js'
import type { ShowsContents } from './strict-programs.js'

/** Facts about the machine that every user of it may read, and that programs are commonly asked for; and the empty file. */
const PUBLIC_FILES: readonly string[] = [
  '/etc/os-release',
  '/etc/hostname',
  '/proc/cpuinfo',
  '/proc/loadavg',
  '/proc/meminfo',
  '/proc/uptime',
  '/proc/version',
  '/dev/null',
]

/**
 * The arguments of a program that shows contents, with each file judged. A file that a link or `..` leads to is given to the
 * program under its real path, so that the program opens what was judged; options come before operands, as every system takes them.
 * @param cwd the real folder in which it will run
 * @param roots the folders whose files may be shown; left out: all
 * @throws PolicyViolation
 */
export async function judgedArguments(
  name: string,
  program: ShowsContents,
  args: readonly string[],
  cwd: string,
  roots?: Roots,
): Promise<string[]> {
  const refuse = (detail: string): never => {
    throw new PolicyViolation('shell.arguments', `${name}: ${detail}`)
  }
  const given = readOptions(args, program.options)
  if (typeof given === 'string') return refuse(given)
  const objection = program.objection?.(given) ?? null
  if (objection !== null) return refuse(objection)
  const folders = program.folders(given)
  const fileOf = (path: string): Promise<string> => judgedFile(name, path, { cwd, roots, folders })

  const words: string[] = []
  for (const { words: front, value, isFile, stuck } of given.options) {
    if (!isFile || value === null) words.push(...front)
    else if (stuck) words.push(...front.slice(0, -1), `${front.at(-1) ?? ''}${await fileOf(value)}`)
    else words.push(...front, await fileOf(value))
  }
  const [first] = given.operands
  const hasPattern = given.options.some(({ name }) => /^(-e|--regexp|-f|--file)$/.test(name))
  const pattern = program.operands === 'pattern' && !hasPattern ? first : undefined
  // As an option, because it may look like one.
  if (pattern !== undefined) words.push('-e', pattern)
  const operands = pattern === undefined ? given.operands : given.operands.slice(1)
  if (program.operands === 'none') return [...words, ...operands]
  for (const file of operands) {
    if (file !== '-' && file.startsWith('-')) return refuse(`the file ${file} looks like an option; write ./${file}`)
    words.push(await fileOf(file))
  }
  // Without an operand it reads the folder in which it runs.
  if (operands.length === 0 && folders === 'read') await fileOf('.')
  return words
}

interface Place {
  cwd: string
  roots: Roots | undefined
  folders: 'harmless' | 'refused' | 'read'
}

/** The word by which the program opens a file. `-` is its standard input. */
async function judgedFile(name: string, path: string, { cwd, roots, folders }: Place): Promise<string> {
  if (path === '-' || roots === undefined) return path
  const refuse = (detail: string): never => {
    throw new PolicyViolation('shell.roots', `${name}: ${detail}`)
  }
  const found = await shownFile(path, cwd, roots).catch((error: unknown) => refuse(messageOf(error)))
  if (folders !== 'harmless' && found.exists && (await stat(found.real).catch(() => null))?.isDirectory() !== false) {
    if (folders === 'refused') return refuse(`${path} is a folder; only files may be given`)
    if (await roots.holdsClosed(found.real))
      return refuse(`${path} holds a folder that belongs to the device itself; name folders beside that one, or use search_files`)
  }
  return found.plain ? path : found.real
}

/** @throws AipError where a path leads to what may not be shown */
async function shownFile(path: string, cwd: string, roots: Roots): Promise<Destination> {
  try {
    return await roots.destination(path, cwd)
  } catch (error) {
    const found = await destinationOf(pathFrom(cwd, path)).catch(() => null)
    if (found !== null && (await publicFiles()).includes(found.real)) return found
    throw error
  }
}

function publicFiles(): Promise<string[]> {
  return Promise.all(PUBLIC_FILES.map(async (file) => (await destinationOf(file)).real))
}
