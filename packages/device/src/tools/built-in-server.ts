import type { McpServer } from '@modelcontextprotocol/server'
import type { DescribedTool } from '../policy/call-effects.js'
import type { ShellMode } from '../policy/shell-policy.js'
import type { DefinedTool } from './define-tool.js'
import type { ToolContext } from './tool-context.js'

/** A server that comes with the device. */
export interface BuiltInServer {
  /** Returns its tools; what they say of themselves may depend on what may be run. */
  tools(shell: ShellMode): readonly DescribedTool[]
  /** Makes the MCP server with exactly these tools. */
  create(context: ToolContext): Promise<McpServer>
}

/** What the tools of one server share while it runs. */
interface Opened<S> {
  state: S
  /** Called when the server has ended. */
  close?: () => void
}

/**
 * Makes a built-in server from the one list of its tools.
 * @param open makes what the tools share, once for each start of the server
 */
export function defineServer<S>(
  name: string,
  tools: (shell: ShellMode) => readonly DefinedTool<S>[],
  open: (context: ToolContext) => Opened<S>,
): BuiltInServer {
  return {
    tools,
    async create(context) {
      // Loaded when it is needed: a device with no built-in servers does without.
      const { McpServer } = await import('@modelcontextprotocol/server')
      const server = new McpServer({ name, version: '1.0.0' })
      const { state, close } = open(context)
      for (const tool of tools(context.shell)) tool.register(server, state)
      // The SDK has no event target; this is its one hook.
      // oxlint-disable-next-line unicorn/prefer-add-event-listener
      if (close !== undefined) server.server.onclose = close
      return server
    },
  }
}
