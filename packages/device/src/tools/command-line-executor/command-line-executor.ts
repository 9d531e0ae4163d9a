import { messageOf, sleep } from '@orrery/aip'
import { z } from 'zod'
import { destinationOf, pathFrom } from '../../paths/destination.js'
import { allowLaunch } from '../../policy/launch-policy.js'
import { lineWords, type ShellMode } from '../../policy/shell-policy.js'
import { childEnvironment } from '../../process/child-environment.js'
import { DEVICE_LIMITS } from '../../limits.js'
import { ProcessGroup, type ProcessEnd } from '../../process/process-group.js'
import { failedEnd } from '../../process/program-end.js'
import { defineServer } from '../built-in-server.js'
import { argvThatRan, programValue } from '../failing-program.js'
import { defineTool, type DefinedTool } from '../define-tool.js'
import type { ToolContext } from '../tool-context.js'

const LaunchInput = z.object({ bash_command: z.string().describe('What to launch') })

/** What the tools of the server share: the device, and what they have launched. */
interface LaunchState {
  context: ToolContext
  launched: Set<ProcessGroup>
}

/** `run_shell`: an application in the background. */
function runShell(shell: ShellMode): DefinedTool<LaunchState> {
  return defineTool({
    name: 'run_shell',
    title: 'Launch an application',
    description:
      'Launches an application, which runs on, and gives no output. ' +
      (shell === 'full'
        ? 'The line runs through the shell of the system.'
        : 'The line is the name of an application, then files to open; no shell is involved.'),
    hints: { readOnlyHint: false, destructiveHint: shell === 'full', idempotentHint: false, openWorldHint: true },
    input: LaunchInput,
    output: z.object({ result: z.null() }),
    describeCall: ({ bash_command: line }, { cwd }) => {
      if (line.trim() === '') return { refused: 'bash_command is empty' }
      return { argv: lineWords(line, shell), launches: true, paths: [{ path: cwd, access: 'run' }] }
    },
    run: async ({ bash_command: line }, { context, launched }: LaunchState, signal) => {
      if (line.trim() === '') throw new Error('Bash command cannot be empty.')
      const end = await launch(context, line, launched, signal)
      return programValue({ result: null }, end === null ? null : failedEnd(end, argvThatRan({ line }, shell)))
    },
  })
}

/** The built-in server `CommandLineExecutor`: launches applications of this machine. They end with the server. */
export const commandLineExecutor = defineServer<LaunchState>(
  'CommandLineExecutor',
  (shell) => [runShell(shell)],
  (context) => {
    const launched = new Set<ProcessGroup>()
    const close = (): void => {
      for (const group of launched) void group.end()
    }
    return { state: { context, launched }, close }
  },
)

/** Gives how it ended; null if it still runs. */
async function launch(
  context: ToolContext,
  line: string,
  launched: Set<ProcessGroup>,
  signal: AbortSignal,
): Promise<ProcessEnd | null> {
  const { real: cwd } = await destinationOf(pathFrom(context.cwd, ''))
  const { file, args } = await allowLaunch(line, context.shell, { ...context, cwd })
  const options = { cwd, env: childEnvironment(context.env), stdio: 'ignore' as const }
  const group = new ProcessGroup(file, args, options, context.clock)
  try {
    await group.started
  } catch (error) {
    throw new Error(`Failed to launch application: ${messageOf(error)}`, { cause: error })
  }
  launched.add(group)
  let end: ProcessEnd | null = null
  void group.ended.then((ended) => {
    end = ended
    launched.delete(group)
  })
  const settled = new AbortController()
  await Promise.race([group.ended, sleep(context.clock, DEVICE_LIMITS.runShellWait, AbortSignal.any([signal, settled.signal]))])
  settled.abort()
  if (signal.aborted) await group.end()
  return end
}
