import type { MCPToolInfo } from '@orrery/aip'

/** The tools of a device's server `files` that move whole files over a connection of their own. */
const TRANSFER_TOOLS = ['send_file', 'receive_file'] as const

/** The name of a transfer tool. */
export type TransferTool = (typeof TRANSFER_TOOLS)[number]

/** Returns whether a tool is a transfer tool: only this server can call it, because only it can wait for the connection. */
export function isTransferTool({ namespace, tool_name: name }: MCPToolInfo): boolean {
  return namespace === 'files' && TRANSFER_TOOLS.some((each) => each === name)
}
