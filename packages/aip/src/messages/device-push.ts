import { z } from 'zod'
import { MCPToolInfo, McpServerStatus } from './values.js'

/** A list that is read without the entries that make no sense; null where there is no list. */
function listOf<T extends z.ZodType>(entry: T, doc: string) {
  return z
    .array(z.unknown())
    .transform((entries) => entries.flatMap((each) => entry.safeParse(each).data ?? []))
    .nullable()
    .default(null)
    .catch(null)
    .describe(doc)
}

/** A tool as a device pushes it. */
export const PushedTool = MCPToolInfo.extend({
  /** Whether the device takes the tool's annotations at their word; it decides by that what may run as a read. */
  trusted: z.boolean().default(false).catch(false),
})
export type PushedTool = z.output<typeof PushedTool>

/** An MCP server as a device pushes it. A state of a newer device reads as `unknown`. */
const PushedServer = McpServerStatus.extend({
  state: McpServerStatus.shape.state.catch('unknown'),
  tools: McpServerStatus.shape.tools.catch(0),
  error: McpServerStatus.shape.error.catch(null),
})

/** `metadata` of a `device_info_response` that a device of Orrery pushes to a server of Orrery, at its registration and after changes. */
export const DevicePush = z.object({
  mcp_servers: listOf(PushedServer, 'All MCP servers of the device; null if the push is not about them.'),
  tools: listOf(
    PushedTool,
    'The tools of the servers that are ready, of both types, as `list_tools` describes them to an agent that is not configured; null if the push is not about them.',
  ),
  tools_omitted: z
    .number()
    .int()
    .nonnegative()
    .default(0)
    .catch(0)
    .describe('How many more tools the device has: the list is cut where the message would get too large.'),
})
export type DevicePush = z.output<typeof DevicePush>

/** What a push says. */
export interface ReadDevicePush extends DevicePush {
  /** All other keys: information about the device itself, as existing peers push it; null if there is none. */
  info: Record<string, unknown> | null
}

/** Reads a push. It never fails: a part that makes no sense counts as absent. @param metadata of the message */
export function readDevicePush(metadata: Record<string, unknown>): ReadDevicePush {
  const info = Object.entries(metadata).filter(([name]) => !Object.hasOwn(DevicePush.shape, name))
  return { ...DevicePush.parse(metadata), info: info.length === 0 ? null : Object.fromEntries(info) }
}
