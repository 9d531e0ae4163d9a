import { dirname, sep } from 'node:path'
import { clearText } from '@orrery/aip'
import type { CallFacts } from './call-facts.js'
import type { PolicyRule } from './policy-config.js'

/** A rule that allows a call from now on, and its index among the rules, in front of what decides otherwise. */
export interface AlwaysRule {
  rule: PolicyRule
  at: number
}

/** What a pattern reads as a wildcard, and what a rule therefore cannot name as it is. */
const WILDCARD = /[*?]/
const PATH_WILDCARD = /[*?{},]/

/**
 * Returns the narrowest rule that allows a call: exactly its words, its paths or its host, else its tool.
 * @returns null if no rule can name exactly that
 */
export function narrowRule(
  { tool, server }: { tool: string; server: string },
  { command, paths, hosts }: CallFacts,
): PolicyRule | null {
  if (WILDCARD.test(tool) || WILDCARD.test(server)) return null
  if (command !== null) {
    const argv = [...command.argv]
    return argv.some((word) => WILDCARD.test(word)) ? null : { tool, argv, do: 'allow' }
  }
  if (paths.real.length > 0) {
    const path = onePattern(paths.real)
    return path === null ? null : { tool, path, do: 'allow' }
  }
  const [host] = hosts
  if (host === undefined) return { tool, server, do: 'allow' }
  return hosts.some((other) => other !== host) || WILDCARD.test(host) ? null : { tool, server, host, do: 'allow' }
}

/** A pattern of exactly these absolute paths. */
function onePattern(paths: readonly string[]): string | null {
  const all = [...new Set(paths)]
  if (all.some((path) => PATH_WILDCARD.test(path))) return null
  const [first = ''] = all
  if (all.length === 1) return first
  let shared = dirname(first)
  while (shared !== dirname(shared) && !all.every((path) => path.startsWith(shared + sep))) shared = dirname(shared)
  const start = shared.endsWith(sep) ? shared : shared + sep
  if (!all.every((path) => path.startsWith(start))) return null
  return `${start}{${all.map((path) => path.slice(start.length)).join(',')}}`
}

/** A rule on one line as JSON, with nothing hidden in it, as a person writes it. */
export function ruleText(rule: PolicyRule): string {
  const value = (each: string | readonly string[] | undefined): string =>
    Array.isArray(each) ? `[${each.map((word) => JSON.stringify(word)).join(', ')}]` : JSON.stringify(each)
  const pairs = Object.entries(rule).map(([key, each]) => `${JSON.stringify(key)}: ${value(each)}`)
  return clearText(`{ ${pairs.join(', ')} }`)
}
