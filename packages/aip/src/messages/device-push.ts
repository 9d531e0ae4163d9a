import { z } from 'zod'
import { LIMITS } from '../limits.js'
import { MCPToolInfo, McpServerStatus } from './values.js'

/** A list that is read without its invalid entries; null if it is not a list. */
function listOf<T extends z.ZodType>(entry: T, doc: string) {
  return z
    .array(z.unknown())
    .transform((entries) => entries.slice(0, LIMITS.pushedTools).flatMap((each) => entry.safeParse(each).data ?? []))
    .nullable()
    .default(null)
    .catch(null)
    .describe(doc)
}

/** A tool as a device pushes it. */
export const PushedTool = MCPToolInfo.extend({
  /** Whether the device trusts the tool's annotations, which decide what may run as a read. */
  trusted: z.boolean().default(false).catch(false),
})
export type PushedTool = z.output<typeof PushedTool>

/** An MCP server as a device pushes it. A state of a newer device reads as `unknown`. */
const PushedServer = McpServerStatus.extend({
  state: McpServerStatus.shape.state.catch('unknown'),
  tools: McpServerStatus.shape.tools.catch(0),
  error: McpServerStatus.shape.error.catch(null),
})

/** `metadata` of a `device_info_response` that an Orrery device pushes to an Orrery server, at its registration and after changes. */
export const DevicePush = z.object({
  mcp_servers: listOf(PushedServer, 'All MCP servers of the device; null if the push is not about them.'),
  tools: listOf(
    PushedTool,
    'The tools of both types of the ready servers, as `list_tools` describes them to an agent that is not configured; null if the push does not concern tools.',
  ),
  tools_omitted: z
    .number()
    .int()
    .nonnegative()
    .default(0)
    .catch(0)
    .describe('How many more tools the device has: the list is cut before the message becomes too large.'),
})
export type DevicePush = z.output<typeof DevicePush>

/** The contents of a push. */
export interface ReadDevicePush extends DevicePush {
  /** All other keys: information about the device itself, as existing peers push it; null if there is none. */
  info: Record<string, unknown> | null
}

/** Reads a push. Never fails: an invalid part counts as absent. @param metadata of the message */
export function readDevicePush(metadata: Record<string, unknown>): ReadDevicePush {
  const info = Object.entries(metadata).filter(([name]) => !Object.hasOwn(DevicePush.shape, name))
  return { ...DevicePush.parse(metadata), info: info.length === 0 ? null : Object.fromEntries(info) }
}
