import { basename } from 'node:path'
import { messageOf } from '@orrery/aip'
import { pathFrom } from '../paths/destination.js'
import type { Environment } from '../process/child-environment.js'
import { findProgram } from '../process/find-program.js'
import type { Permits } from './permits.js'
import { PolicyViolation } from './policy-violation.js'
import type { Roots } from './roots.js'
import { shellCommand, type AllowedCommand, type ShellMode } from './shell-policy.js'
import { splitCommand } from './split-command.js'

/**
 * Applications that `run_shell` may open (mcp-servers reference, chapter 4), without `.exe`, in lower case. Those that start what they are
 * given, as a file manager does, or code that is in a folder, are asked about.
 */
const APPLICATIONS: ReadonlySet<string> = new Set(
  (
    'notepad calc mspaint wordpad msedge chrome firefox winword excel powerpnt outlook onenote ' +
    'gedit gnome-calculator gnome-text-editor google-chrome chromium'
  ).split(' '),
)

/** The start of an address; one letter is a drive of Windows. */
const SCHEME = /^[a-z][a-z0-9+.-]+:/i

/** What the start of an application depends on. */
export interface LaunchPlace {
  /** The real folder in which it starts. */
  cwd: string
  roots: Roots
}

/**
 * Decides about the start of an application. Strict: by its name alone, with files of the roots as arguments, which it gets under their real
 * paths. Options are refused, because many applications start programs that an option names, and addresses, because what a browser opens
 * may carry data away, or do something on this machine or its network.
 * @param env where the application is looked for
 * @param permits commands that the policy of the device has let through
 * @throws PolicyViolation naming the rule
 */
export async function allowLaunch(
  line: string,
  mode: ShellMode,
  { cwd, roots, env, permits }: LaunchPlace & { env: Environment; permits?: Permits },
): Promise<AllowedCommand> {
  if (mode === 'full') return shellCommand(line)
  const argv = splitCommand(line)
  const permitted = permits?.has(argv, cwd) === true
  const [program = ''] = argv
  const args = permitted ? argv.slice(1) : await launchArguments(argv, { cwd, roots })
  // A bare name must not mean a program of this name in the working folder, as it does on Windows.
  const file = basename(program) === program ? await findProgram(program, env) : pathFrom(cwd, program)
  if (file === null) throw new Error(`Failed to launch application: ${program} is not installed`)
  return { file, args }
}

/** The arguments with which an application may be opened. @param argv its name and the words after it @throws PolicyViolation naming the rule */
export async function launchArguments(
  [program = '', ...args]: readonly string[],
  { cwd, roots }: LaunchPlace,
): Promise<string[]> {
  const name = basename(program)
  if (!APPLICATIONS.has(name.toLowerCase().replace(/\.exe$/, ''))) {
    throw new PolicyViolation(
      'shell.allow-list',
      `'${name}' is not one of the applications that may be launched (${[...APPLICATIONS].join(' ')})`,
    )
  }
  if (program !== name) throw new PolicyViolation('shell.program-path', `'${program}': give the name of the application alone`)
  const refused = args.find((arg) => arg.startsWith('-') || SCHEME.test(arg))
  if (refused !== undefined) {
    const what = refused.startsWith('-') ? `the option ${refused}` : `the address ${refused}`
    throw new PolicyViolation('shell.arguments', `${name}: ${what} is not opened without approval`)
  }
  return Promise.all(
    args.map(async (arg) => {
      const found = await roots.destination(arg, cwd).catch((error: unknown) => {
        throw new PolicyViolation('shell.roots', `${name}: ${messageOf(error)}`)
      })
      // What is not a file would be taken for the name of another machine.
      if (!found.exists) throw new PolicyViolation('shell.roots', `${name}: there is no file ${arg}`)
      return found.real
    }),
  )
}
