import { userInfo } from 'node:os'
import { z } from 'zod'
import type { DescribedTool } from '../../policy/call-effects.js'
import { systemTool } from '../../process/find-program.js'
import { commandEffects, type CommandRequest } from './command-request.js'

/** What the policy judges of an interactive terminal, as if it were a call of a tool. */
const TerminalCall = z.object({
  program: z.string().optional(),
  args: z.array(z.string()).default([]),
  cwd: z.string().optional(),
})

/** The name under which rules and the audit know interactive terminals. */
export const TERMINAL_TOOL = 'terminal'

/** An interactive terminal, which no agent can call: operators open it over a connection of its own. */
export const terminalCall: DescribedTool = {
  name: TERMINAL_TOOL,
  readOnly: false,
  describeCall: (args, place) => ({
    ...commandEffects(terminalRequest(TerminalCall.parse(args)), place),
    takesInput: true,
    interactive: true,
  }),
}

/** The command of an interactive terminal: without a program, the shell of the user whom the device runs as. */
export function terminalRequest({ program, args, cwd }: z.output<typeof TerminalCall>): CommandRequest & { program: string } {
  return { program: program ?? loginShell(), args, cwd, env: {}, terminal: true }
}

function loginShell(): string {
  if (process.platform === 'win32') return process.env['COMSPEC'] ?? systemTool('cmd.exe')
  return userInfo().shell ?? '/bin/sh'
}
