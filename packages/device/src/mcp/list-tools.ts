import type { Client, RequestOptions, Tool } from '@modelcontextprotocol/client'
import { messageOf } from '@orrery/aip'
import { DEVICE_LIMITS } from '../limits.js'

/**
 * Lists the tools of a server, page by page. A page that cannot be had, or a list without an end, costs only what comes after it.
 * @param report gets one line for what is missing
 * @throws the SDK's error if there is no first page
 */
export async function listTools(client: Client, options: RequestOptions, report: (flaw: string) => void): Promise<Tool[]> {
  const tools: Tool[] = []
  const seen = new Set<string>()
  let cursor: string | undefined
  for (let page = 0; page < DEVICE_LIMITS.mcpToolPages; page += 1) {
    try {
      // The SDK's own method loses all pages with one.
      const list = await client.request({ method: 'tools/list', params: cursor === undefined ? {} : { cursor } }, options)
      tools.push(...list.tools)
      cursor = list.nextCursor
    } catch (error) {
      if (page === 0) throw error
      report(`tools after the first ${tools.length} are left out: ${messageOf(error)}`)
      return tools
    }
    if (cursor === undefined) return tools
    if (seen.has(cursor)) {
      report(`tools after the first ${tools.length} are left out: its list has no end`)
      return tools
    }
    seen.add(cursor)
  }
  report(`tools after the first ${tools.length} are left out: its list has too many pages`)
  return tools
}
