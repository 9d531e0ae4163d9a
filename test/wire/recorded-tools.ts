import { McpServer, fromJsonSchema } from '@modelcontextprotocol/server'
import { Command, MCPToolInfo, Result } from '@orrery/aip'
import type { DeviceOptions } from '@orrery/device'
import { z } from 'zod'
import { asObject, type Line } from './recording.js'

type LocalServers = NonNullable<DeviceOptions['localServers']>
type Answer = { content: { type: 'text'; text: string }[]; structuredContent?: Record<string, unknown>; isError?: boolean }

const Tools = z.array(MCPToolInfo)
type Tools = z.infer<typeof Tools>

/** What a recorded device has: tools by the recorded names, in the recorded namespaces, that answer what was recorded. */
export function recordedTools(lines: readonly Line[]): LocalServers {
  const answers = new Map<string, Result[]>()
  const tools = new Map<string, Tools[number]>()
  const commands = new Map<string, Command>()
  for (const line of lines) {
    const message = asObject(line.raw)
    for (const command of z.array(Command).catch([]).parse(message['actions'])) commands.set(command.call_id ?? '', command)
    for (const result of z.array(Result).catch([]).parse(message['action_results'])) {
      const name = commands.get(result.call_id ?? '')?.tool_name ?? ''
      if (name === 'list_tools') for (const tool of Tools.catch([]).parse(result.result)) tools.set(tool.tool_key, tool)
      else if (result.status !== 'skipped') answers.set(name, [...(answers.get(name) ?? []), result])
    }
  }
  const namespaces = Map.groupBy(tools.values(), ({ namespace }) => namespace)
  return Object.fromEntries([...namespaces].map(([name, own]) => [name, () => serverOf(name, own, answers)]))
}

function serverOf(name: string, tools: Tools, answers: Map<string, Result[]>): McpServer {
  const server = new McpServer({ name, version: '1.0.0' })
  for (const { tool_name, title, description, input_schema, output_schema, meta, annotations } of tools) {
    const config = {
      inputSchema: fromJsonSchema({ type: 'object', ...input_schema }),
      ...(title === null ? {} : { title }),
      ...(description === null ? {} : { description }),
      ...(output_schema === null || Object.keys(output_schema).length === 0
        ? {}
        : { outputSchema: fromJsonSchema({ type: 'object', ...output_schema }) }),
      ...(meta === null ? {} : { _meta: meta }),
      ...(annotations === null ? {} : { annotations }),
    }
    const wrapped = output_schema?.['x-fastmcp-wrap-result'] === true
    server.registerTool(tool_name, config, () => answerOf(answers.get(tool_name)?.shift(), wrapped))
  }
  return server
}

/** A tool's answer from which its recorded result came. */
function answerOf(result: Result | undefined, wrapped: boolean): Answer {
  const text = (value: unknown): Answer['content'] => [
    { type: 'text', text: typeof value === 'string' ? value : JSON.stringify(value) },
  ]
  if (result === undefined) return { content: text('nothing was recorded for this call'), isError: true }
  if (result.status === 'failure') return { content: text(result.error), isError: true }
  if (wrapped) return { content: text(result.result), structuredContent: { result: result.result } }
  const { success, data } = z.record(z.string(), z.unknown()).safeParse(result.result)
  return { content: text(result.result), ...(success ? { structuredContent: data } : {}) }
}
