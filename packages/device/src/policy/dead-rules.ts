import type { ToolType } from '@orrery/aip'
import { matchesName } from '../glob.js'
import { builtInTool } from '../tools/built-in-calls.js'
import type { PolicyRule } from './policy-config.js'
import type { ShellMode } from './shell-policy.js'

/** What rules may be about: one MCP server and its tools. */
export interface KnownServer {
  name: string
  toolType: ToolType
  builtIn: boolean
  /** Null for a server whose tools are not known. */
  tools: readonly string[] | null
}

/** A rule that no call can ever match. */
export interface DeadRule {
  /** Its place in the list, from 0. */
  at: number
  why: string
}

/** Finds the rules that decide about nothing, such as one with a misspelt tool. Where the tools of a server are not known, it may be meant. */
export function deadRules(rules: readonly PolicyRule[], servers: readonly KnownServer[], shell: ShellMode): DeadRule[] {
  const everything = rules.findIndex(
    ({ tool, server, argv, path, host }) => (tool ?? server ?? argv ?? path ?? host) === undefined,
  )
  return rules.flatMap((rule, at) => {
    const why =
      everything >= 0 && at > everything
        ? `policy.rules[${everything}] decides about every call before it`
        : reasonAgainst(rule, servers, shell)
    return why === null ? [] : [{ at, why }]
  })
}

function reasonAgainst(rule: PolicyRule, servers: readonly KnownServer[], shell: ShellMode): string | null {
  const { tool, server } = rule
  const meant = servers.filter(({ name }) => server === undefined || matchesName(server, name))
  if (meant.length === 0) return `no MCP server that runs is called '${server}'`
  const having = meant.filter(
    (each) => tool === undefined || each.tools === null || each.tools.some((name) => isCalled(tool, name, each)),
  )
  if (having.length === 0) return `no tool is called '${tool}'${hint(tool ?? '', servers, shell)}`
  const bound = (['argv', 'path'] as const).find((key) => rule[key] !== undefined)
  const shows = having.some(({ builtIn }) => builtIn)
  return bound === undefined || shows ? null : `'${bound}' is known only of the tools that come with the device`
}

function isCalled(pattern: string, name: string, { toolType }: KnownServer): boolean {
  return matchesName(pattern, name) || matchesName(pattern, `${toolType}::${name}`)
}

function hint(tool: string, servers: readonly KnownServer[], shell: ShellMode): string {
  const owner = builtInTool(tool, shell)?.server
  return owner === undefined || servers.some(({ name }) => name === owner)
    ? ''
    : `: '${owner}', which has it, is off or not for this machine`
}
