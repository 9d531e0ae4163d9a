import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { aipError, messageOf } from '@orrery/aip'
import { findNodeAtLocation, getNodeValue, parseTree, printParseErrorCode, type Node, type ParseError } from 'jsonc-parser'
import type { z } from 'zod'
import { DeviceConfig } from './device-config.js'

/**
 * Reads a configuration file.
 * @throws AipError `INVALID_INPUT` with file, line, column and what is wrong
 */
export async function loadDeviceConfig(path: string): Promise<DeviceConfig> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    throw aipError('INVALID_INPUT', { detail: `${path}: ${messageOf(error)}` })
  }
  const config = parseDeviceConfig(text, path)
  const fromHere = (place: string): string => resolve(dirname(path), place)
  return {
    ...config,
    ...(config.mcpYaml === undefined ? {} : { mcpYaml: fromHere(config.mcpYaml) }),
    ...(config.roots === undefined ? {} : { roots: config.roots.map(fromHere) }),
  }
}

/** Reads the text of a configuration file. @param name used in errors. @throws like {@link loadDeviceConfig} */
export function parseDeviceConfig(text: string, name: string): DeviceConfig {
  const fail = (offset: number, message: string): never => {
    const before = text.slice(0, offset).split('\n')
    const column = (before.at(-1)?.length ?? 0) + 1
    throw aipError('INVALID_INPUT', { detail: `${name}:${before.length}:${column}: ${message}` })
  }
  const errors: ParseError[] = []
  const root = parseTree(text, errors, { allowTrailingComma: true })
  const [first] = errors
  if (first !== undefined) fail(first.offset, printParseErrorCode(first.error))
  if (root === undefined) return fail(0, 'the file is empty')
  refuseBadKeys(root, fail)
  const parsed = DeviceConfig.safeParse(getNodeValue(root))
  if (!parsed.success) return failWithIssue(parsed.error, root, fail)
  refuseSharedNamespaces(parsed.data, root, fail)
  return parsed.data
}

type Fail = (offset: number, message: string) => never

/** The parser takes the last of two keys and a key `__proto__`: both are refused. */
function refuseBadKeys(node: Node, fail: Fail): void {
  const seen = new Set<unknown>()
  for (const child of node.children ?? []) {
    const key = child.type === 'property' ? child.children?.[0] : undefined
    if (key !== undefined) {
      if (seen.has(key.value)) fail(key.offset, `the key '${String(key.value)}' is there twice`)
      if (key.value === '__proto__') fail(key.offset, "the key '__proto__' is not allowed")
      seen.add(key.value)
    }
    refuseBadKeys(child, fail)
  }
}

/** Two servers under one name could not be told apart. */
function refuseSharedNamespaces(config: DeviceConfig, root: Node, fail: Fail): void {
  const builtIn = new Set(Object.entries(config.tools).flatMap(([name, on]) => (on ? [name] : [])))
  const taken = new Set<string>([...builtIn, ...config.presets])
  for (const [name, server] of Object.entries(config.mcpServers)) {
    const namespace = server.namespace ?? name
    if (taken.has(namespace)) {
      const node = findNodeAtLocation(root, ['mcpServers', name])
      const hint = builtIn.has(namespace) ? `: give this one a 'namespace', or switch the built-in one off under 'tools'` : ''
      fail(node?.parent?.offset ?? 0, `another server already has the namespace '${namespace}'${hint}`)
    }
    taken.add(namespace)
  }
}

function failWithIssue(error: z.ZodError, root: Node, fail: Fail): never {
  const [issue] = error.issues
  const path = (issue?.path ?? []).map((part) => (typeof part === 'symbol' ? String(part) : part))
  if (issue?.code === 'unrecognized_keys') {
    const [key = ''] = issue.keys
    const node = findNodeAtLocation(root, [...path, key])
    return fail(node?.parent?.offset ?? 0, `unknown key '${[...path, key].join('.')}'`)
  }
  // A missing value has no place of its own: its object has.
  let node: Node | undefined
  for (let depth = path.length; node === undefined && depth >= 0; depth -= 1)
    node = findNodeAtLocation(root, path.slice(0, depth))
  return fail(node?.offset ?? 0, `${path.join('.') || 'the file'}: ${issue?.message ?? 'invalid'}`)
}
