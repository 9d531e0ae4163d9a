import type { ShellMode } from '../policy/shell-policy.js'
import { BASH_EXECUTOR_CALLS } from './bash-executor/bash-executor.js'
import type { CallEffects, CallPlace, DescribedTool } from './call-effects.js'
import { COMMAND_LINE_CALLS } from './command-line-executor/command-line-executor.js'
import { DESKTOP_TOOLS } from './desktop/desktop-server.js'
import { FILES_TOOLS } from './files/files-server.js'
import { PDF_TOOLS } from './pdf/pdf-server.js'
import { shellTools } from './shell/shell-server.js'
import { SYSTEM_TOOLS } from './system/system-server.js'

const DESCRIBED: Readonly<Record<string, (shell: ShellMode) => readonly DescribedTool[]>> = {
  BashExecutor: () => BASH_EXECUTOR_CALLS,
  CommandLineExecutor: () => COMMAND_LINE_CALLS,
  shell: shellTools,
  files: () => FILES_TOOLS,
  system: () => SYSTEM_TOOLS,
  desktop: () => DESKTOP_TOOLS,
  pdf: () => PDF_TOOLS,
}

/**
 * What a call of a built-in tool would touch, for a policy that decides before it runs.
 * @param server name of the built-in server
 * @returns null for a tool that is not described; nothing may be concluded then
 */
export function describeBuiltInCall(server: string, tool: string, args: unknown, place: CallPlace): CallEffects | null {
  const tools = Object.hasOwn(DESCRIBED, server) ? DESCRIBED[server]?.(place.shell) : undefined
  return tools?.find(({ name }) => name === tool)?.describeCall(args, place) ?? null
}
