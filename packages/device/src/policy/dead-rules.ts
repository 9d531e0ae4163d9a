import type { ToolType } from '@orrery/aip'
import { matchesName } from '../paths/glob.js'
import type { PolicyRule } from './policy-config.js'

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

/** Returns the built-in server that has a tool, if one has. */
type OwnerOf = (tool: string) => string | undefined

/** Finds the rules that decide about nothing, such as one with a misspelt tool. Where the tools of a server are not known, the rule may be about them. */
export function deadRules(rules: readonly PolicyRule[], servers: readonly KnownServer[], ownerOf: OwnerOf): DeadRule[] {
  const everything = rules.findIndex(
    ({ tool, server, argv, path, host }) => (tool ?? server ?? argv ?? path ?? host) === undefined,
  )
  return rules.flatMap((rule, at) => {
    const why =
      everything >= 0 && at > everything
        ? `rule ${everything + 1} decides about every call before it`
        : reasonAgainst(rule, servers, ownerOf)
    return why === null ? [] : [{ at, why }]
  })
}

function reasonAgainst(rule: PolicyRule, servers: readonly KnownServer[], ownerOf: OwnerOf): string | null {
  const { tool, server } = rule
  const meant = servers.filter(({ name }) => server === undefined || matchesName(server, name))
  if (meant.length === 0) return `no MCP server that runs is called '${server}'`
  const having = meant.filter(
    (each) => tool === undefined || each.tools === null || each.tools.some((name) => isCalled(tool, name, each)),
  )
  if (having.length === 0) return `no tool is called '${tool}'${hint(ownerOf(tool ?? ''), servers)}`
  const bound = (['argv', 'path'] as const).find((key) => rule[key] !== undefined)
  const shows = having.some(({ builtIn }) => builtIn)
  return bound === undefined || shows ? null : `'${bound}' is known only of the tools that come with the device`
}

function isCalled(pattern: string, name: string, { toolType }: KnownServer): boolean {
  return matchesName(pattern, name) || matchesName(pattern, `${toolType}::${name}`)
}

function hint(owner: string | undefined, servers: readonly KnownServer[]): string {
  return owner === undefined || servers.some(({ name }) => name === owner)
    ? ''
    : `: '${owner}', which has it, is off or not for this machine`
}
