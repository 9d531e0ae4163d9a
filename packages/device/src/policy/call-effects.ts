import type { Roots } from './roots.js'
import type { ShellMode } from './shell-policy.js'

/**
 * What a call would touch, computed from its arguments before it runs and without looking at the machine, so that a policy can
 * decide about it. A tool does nothing beyond this; what is in a folder that is `deep` counts as named.
 */
export interface CallEffects {
  /** The program and its arguments; a line for the system's shell is `[shell, '-c', line]`. */
  argv?: readonly string[]
  /** Whether the command gets a terminal, in which some programs take commands from the keyboard. */
  terminal?: boolean
  /** Someone elsewhere types into it: it is as powerful as an open shell. */
  interactive?: boolean
  /** Variables that the call sets for the command, and that may change what it loads or starts. */
  variables?: readonly string[]
  /** Absolute paths; links and `..` in them are not followed yet, the tool itself does that and checks the roots. */
  paths?: readonly PathEffect[]
  /** The command opens an application; a different list than the shell's applies. */
  launches?: boolean
  /** The call is about a job that an earlier call has started and the policy has allowed. */
  ownJob?: boolean
  /** What is started reads input that later calls send, and that is not judged. */
  takesInput?: boolean
  /** Why the tool refuses these arguments by itself. */
  refused?: string
  /** Names or addresses that the call connects to. */
  hosts?: readonly string[]
}

/** One path of a call. `change` means everything but reading: writing, creating, moving, deleting. */
export interface PathEffect {
  path: string
  access: 'read' | 'change' | 'run'
  /** Whether it may be a folder, of which all contents are read or changed. */
  deep?: boolean
  /** Whether the entry itself is meant: a link at the end of the path is not followed. */
  entry?: boolean
}

/** What arguments mean depends on: where relative paths start, and whether there is a shell. */
export interface CallPlace {
  roots: Roots
  shell: ShellMode
  /** The folder in which commands run unless they name another. */
  cwd: string
}

/** A tool whose calls can be described before they run. */
export interface DescribedTool {
  name: string
  /** Whether it changes nothing. */
  readOnly: boolean
  /** @throws PolicyViolation for a command line that needs a shell where there is none */
  describeCall(args: unknown, place: CallPlace): CallEffects
}

/** What a policy knows of the tools that come with the device. */
export interface BuiltInTools {
  /** Returns the server that has a tool, and whether the tool changes nothing; undefined if none has it. */
  find(tool: string, shell: ShellMode): { server: string; readOnly: boolean } | undefined
  /**
   * Returns what a call would touch; null for a server or a tool that there is not, of which nothing may be concluded.
   * @throws PolicyViolation for a command line that needs a shell where there is none
   */
  describeCall(server: string, tool: string, args: unknown, place: CallPlace): CallEffects | null
}
