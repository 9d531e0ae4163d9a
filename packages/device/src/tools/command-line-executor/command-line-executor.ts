import type { McpServer } from '@modelcontextprotocol/server'
import { messageOf, sleep } from '@orrery/aip'
import { z } from 'zod'
import { allowLaunch } from '../../policy/launch-policy.js'
import { lineWords } from '../../policy/shell-policy.js'
import { childEnvironment } from '../../process/child-environment.js'
import { ProcessGroup } from '../../process/process-group.js'
import type { DescribedTool } from '../call-effects.js'
import type { ToolContext } from '../tool-context.js'
import { toolError, toolValue } from '../tool-error.js'
import { DEVICE_LIMITS } from '../../limits.js'

const LaunchInput = z.object({ bash_command: z.string().describe('What to launch') })

/** What a call of this server would touch. */
export const COMMAND_LINE_CALLS: readonly DescribedTool[] = [
  {
    name: 'run_shell',
    readOnly: false,
    describeCall: (args, { shell, cwd }) => {
      const parsed = LaunchInput.safeParse(args)
      if (!parsed.success || parsed.data.bash_command.trim() === '') return { refused: true }
      return { argv: lineWords(parsed.data.bash_command, shell), launches: true, paths: [{ path: cwd, access: 'run' }] }
    },
  },
]

/** The built-in server `CommandLineExecutor`: launches applications of this machine. They end with the server. */
export async function createCommandLineExecutor(context: ToolContext): Promise<McpServer> {
  const { McpServer } = await import('@modelcontextprotocol/server')
  const server = new McpServer({ name: 'CommandLineExecutor', version: '1.0.0' })
  const launched = new Set<ProcessGroup>()
  server.registerTool(
    'run_shell',
    {
      title: 'Launch an application',
      description:
        'Launches an application and waits up to 5 s for it; what it prints is not returned. ' +
        (context.shell === 'full'
          ? 'The line runs through the shell of the system.'
          : 'The line is the name of an application, then files or addresses to open; no shell is involved.'),
      inputSchema: LaunchInput,
      outputSchema: z.object({ result: z.null() }),
      annotations: {
        readOnlyHint: false,
        destructiveHint: context.shell === 'full',
        idempotentHint: false,
        openWorldHint: true,
      },
    },
    async ({ bash_command: line }, ctx) => {
      try {
        if (line.trim() === '') throw new Error('Bash command cannot be empty.')
        await launch(context, line, launched, ctx.mcpReq.signal)
        return toolValue({ result: null })
      } catch (error) {
        return toolError(error)
      }
    },
  )
  // The SDK has no event target; this is its one hook.
  // oxlint-disable-next-line unicorn/prefer-add-event-listener
  server.server.onclose = () => {
    for (const group of launched) void group.end()
  }
  return server
}

async function launch(context: ToolContext, line: string, launched: Set<ProcessGroup>, signal: AbortSignal): Promise<void> {
  const { file, args } = allowLaunch(line, context.shell, context.cwd, context.permits)
  const options = { cwd: context.cwd, env: childEnvironment(context.env), stdio: 'ignore' as const }
  const group = new ProcessGroup(file, args, options, context.clock)
  try {
    await group.started
  } catch (error) {
    throw new Error(`Failed to launch application: ${messageOf(error)}`, { cause: error })
  }
  launched.add(group)
  void group.ended.then(() => launched.delete(group))
  const settled = new AbortController()
  await Promise.race([group.ended, sleep(context.clock, DEVICE_LIMITS.runShellWait, AbortSignal.any([signal, settled.signal]))])
  settled.abort()
  if (signal.aborted) await group.end()
}
