import { readFileSync } from 'node:fs'
import { aipError, messageOf } from '@orrery/aip'
import { parse } from 'yaml'
import { z } from 'zod'

/** A server as the `mcp.yaml` of existing devices names it. */
const Entry = z.looseObject({
  namespace: z.string().min(1),
  type: z.enum(['local', 'http', 'stdio']),
  reset: z.boolean().default(false),
  command: z.string().default('python'),
  start_args: z.array(z.string()).default([]),
  env: z.record(z.string(), z.string()).default({}),
  cwd: z.string().optional(),
  host: z.string().default('localhost'),
  port: z.number().int().default(8000),
  path: z.string().default('/mcp'),
})
export type McpYamlEntry = z.infer<typeof Entry>

const list = z
  .array(Entry)
  .nullish()
  .transform((entries) => entries ?? [])
const ToolSet = z.looseObject({ data_collection: list, action: list })
/** Agent, then `default` or an application, then the servers of each type. Some files have all of it under `mcp`. */
const File = z.record(z.string(), z.record(z.string(), ToolSet))

/** The tools that one agent sees, for each application; `default` is for all others. */
export type AgentToolSets = Readonly<Record<string, Readonly<Record<string, z.infer<typeof ToolSet>>>>>

/**
 * Reads the `mcp.yaml` of existing devices.
 * @throws AipError `INVALID_CONFIG` that names the file and the first thing that is wrong
 */
export function loadMcpYaml(path: string): AgentToolSets {
  const fail = (detail: string): never => {
    throw aipError('INVALID_CONFIG', { detail: `${path}: ${detail}` })
  }
  let value: unknown
  try {
    value = parse(readFileSync(path, 'utf8'), { maxAliasCount: 50 })
  } catch (error) {
    return fail(messageOf(error))
  }
  const wrapped = z.object({ mcp: z.unknown() }).safeParse(value)
  const parsed = File.safeParse(wrapped.success ? wrapped.data.mcp : value)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  return fail(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'invalid'}`)
}

/** All servers of all sets, each with its type; a name that comes again is the same server. */
export function serversOf(sets: AgentToolSets): { entry: McpYamlEntry; toolType: 'action' | 'data_collection' }[] {
  const seen = new Set<string>()
  return Object.values(sets)
    .flatMap((roots) => Object.values(roots))
    .flatMap((set) =>
      (['data_collection', 'action'] as const).flatMap((toolType) => set[toolType].map((entry) => ({ entry, toolType }))),
    )
    .filter(({ entry }) => !seen.has(entry.namespace) && seen.add(entry.namespace))
}

/** Names of the servers that an agent sees; undefined if the file does not know the agent. */
export function namespacesOf(sets: AgentToolSets, agent: string, root: string): string[] | undefined {
  const roots = Object.hasOwn(sets, agent) ? sets[agent] : undefined
  const set = roots?.[Object.hasOwn(roots, root) ? root : 'default']
  return set && [...set.data_collection, ...set.action].map((entry) => entry.namespace)
}
