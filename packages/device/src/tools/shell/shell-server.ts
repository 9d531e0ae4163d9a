import type { McpServer } from '@modelcontextprotocol/server'
import type { ShellMode } from '../../policy/shell-policy.js'
import type { DefinedTool } from '../define-tool.js'
import type { ToolContext } from '../tool-context.js'
import { listJobs, readOutput, sendInput, startJob, stopJob } from './job-tools.js'
import { Jobs } from './jobs.js'
import { OutputStore } from './output-store.js'
import { runCommand } from './run-command.js'
import type { ShellState } from './shell-state.js'

/** The tools of the server `shell`; what they say of themselves depends on what may be run. */
export function shellTools(shell: ShellMode): readonly DefinedTool<ShellState>[] {
  return [runCommand(shell), startJob(shell), listJobs, readOutput, sendInput(shell), stopJob]
}

/** The built-in server `shell`: programs of this machine, to their end or in the background. All end with the server. */
export async function createShellServer(context: ToolContext): Promise<McpServer> {
  const { McpServer } = await import('@modelcontextprotocol/server')
  const server = new McpServer({ name: 'shell', version: '1.0.0' })
  const outputs = new OutputStore(context.dataDir)
  const jobs = new Jobs(outputs, context.clock)
  for (const tool of shellTools(context.shell)) tool.register(server, { context, outputs, jobs })
  // The SDK has no event target; this is its one hook.
  // oxlint-disable-next-line unicorn/prefer-add-event-listener
  server.server.onclose = () => void jobs.close().then(() => outputs.close())
  return server
}
