import type { JSONPath } from 'jsonc-parser'
import type { Environment } from '../process/child-environment.js'
import type { ConfigText } from './config-text.js'

/** Keys of an MCP server in whose strings variables are replaced by their values. */
const SERVER_KEYS: ReadonlySet<string> = new Set(['command', 'args', 'env', 'cwd', 'url', 'headers'])

/** `${NAME}`, also as `${env:NAME}`, `${NAME:-default}`, `${input:id}` of hosts that ask, or `$${` for the two characters themselves; anything else after `${` is a mistake. */
const VARIABLE = /\$\$\{|\$\{(?:(?:(env|input):)?([A-Za-z_][\w-]*)(?::-([^}]*))?\})?/g

/**
 * Puts the values of environment variables into the strings of a configuration that may hold some: those of MCP servers, and the token.
 * As in a shell, a default also replaces an empty value.
 * @param value of the whole file
 * @param file takes note of mistakes
 * @returns the value with the variables replaced
 */
export function expandVariables(value: unknown, file: ConfigText, env: Environment): unknown {
  if (!isObject(value)) return value
  const expandAt = (part: unknown, path: JSONPath): unknown => {
    if (typeof part === 'string')
      return expand(part, env, {
        wrong: (problem) => file.problemAt(file.nodeAt(path)?.offset ?? 0, problem),
        unsure: (note) => file.warnAt(path, note),
      })
    if (Array.isArray(part)) return part.map((each, index) => expandAt(each, [...path, index]))
    return isObject(part) ? mapValues(part, (each, key) => expandAt(each, [...path, key])) : part
  }
  return mapValues(value, (part, key) => {
    if (key === 'token') return expandAt(part, [key])
    if ((key !== 'mcpServers' && key !== 'servers') || !isObject(part)) return part
    return mapValues(part, (server, name) =>
      isObject(server)
        ? mapValues(server, (each, field) => (SERVER_KEYS.has(field) ? expandAt(each, [key, name, field]) : each))
        : server,
    )
  })
}

/** Takes what is wrong with a text, or what its author may not expect. */
interface Notes {
  wrong: (problem: string) => void
  unsure: (note: string) => void
}

type Json = Record<string, unknown>

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function mapValues(value: Json, change: (part: unknown, key: string) => unknown): Json {
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, change(part, key)]))
}

function expand(text: string, env: Environment, { wrong, unsure }: Notes): string {
  return text.replaceAll(
    VARIABLE,
    (found, kind: string | undefined, given: string | undefined, otherwise: string | undefined) => {
      if (found === '$${') return '${'
      const name = kind === 'input' ? given?.toUpperCase().replaceAll('-', '_') : given
      if (name === undefined || !/^\w+$/.test(name)) {
        wrong('a variable is written ${NAME} or ${NAME:-default}, and $${ stands for ${ itself')
        return found
      }
      const value = env[name]
      if (kind === 'input') {
        const state = value === undefined ? 'which is not set: the text is empty' : 'which is set'
        unsure(`${found} is not asked for here; it is the environment variable ${name}, ${state}`)
        return value ?? otherwise ?? ''
      }
      if (otherwise !== undefined) return value === undefined || value === '' ? otherwise : value
      if (value === undefined) wrong(`the environment variable '${name}' is not set; \${${name}:-default} gives a default`)
      return value ?? ''
    },
  )
}
