import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { aipError, closestName, messageOf } from '@orrery/aip'
import { getNodeValue } from 'jsonc-parser'
import type { z } from 'zod'
import type { Environment } from '../process/child-environment.js'
import { ConfigText } from './config-text.js'
import { ownNameOf } from './built-in-names.js'
import { DeviceConfig, keysAt } from './device-config.js'
import { readHostSpellings } from './host-spellings.js'
import { expandVariables } from './expand-variables.js'

/**
 * Reads a configuration file.
 * @param env where its variables come from
 * @throws AipError `INVALID_CONFIG` with a line for each mistake: file, line, column and what is wrong
 */
export async function loadDeviceConfig(path: string, env: Environment = process.env): Promise<DeviceConfig> {
  return (await readDeviceConfig(path, env)).config
}

/** Like {@link loadDeviceConfig}; with the file's text, for places in it. @throws like that */
export async function readDeviceConfig(path: string, env: Environment): Promise<{ config: DeviceConfig; file: ConfigText }> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    throw aipError('INVALID_CONFIG', { detail: `${path}: ${messageOf(error)}` })
  }
  const file = new ConfigText(text, path)
  const config = parse(file, env)
  const fromHere = (place: string): string => resolve(dirname(path), place)
  const absolute = {
    ...config,
    ...(config.ca === undefined ? {} : { ca: fromHere(config.ca) }),
    ...(config.mcpYaml === undefined ? {} : { mcpYaml: fromHere(config.mcpYaml) }),
    ...(config.roots === undefined ? {} : { roots: config.roots.map(fromHere) }),
  }
  return { config: absolute, file }
}

/** Reads the text of a configuration file. @param name used in errors. @throws like {@link loadDeviceConfig} */
export function parseDeviceConfig(text: string, name: string, env: Environment = process.env): DeviceConfig {
  return parse(new ConfigText(text, name), env)
}

function parse(file: ConfigText, env: Environment): DeviceConfig {
  const malformed = file.mistakes()
  if (malformed !== null) throw malformed
  const value: unknown = file.root && getNodeValue(file.root)
  const parsed = DeviceConfig.safeParse(expandVariables(readHostSpellings(value, file), file, env))
  if (!parsed.success) for (const issue of parsed.error.issues) noteIssue(issue, file)
  else {
    noteSharedNamespaces(parsed.data, file)
    noteUnknownServers(parsed.data, file)
  }
  const mistakes = file.mistakes()
  if (parsed.success && mistakes === null) return parsed.data
  throw mistakes ?? aipError('INVALID_CONFIG', { detail: messageOf(parsed.error) })
}

/** A server that an agent is given must exist. The servers of `mcp.yaml` are not known here. */
function noteUnknownServers(config: DeviceConfig, file: ConfigText): void {
  if (config.mcpYaml !== undefined) return
  const on = Object.entries(config.tools).flatMap(([name, isOn]) => (isOn ? [name] : []))
  const own = Object.entries(config.mcpServers).map(([name, { namespace }]) => namespace ?? name)
  const known = new Set<string>([...on, ...config.presets, ...own])
  for (const [agent, sets] of Object.entries(config.agents)) {
    for (const [application, names] of Object.entries(sets)) {
      for (const [at, name] of names.entries()) {
        if (known.has(ownNameOf(name))) continue
        const off = Object.hasOwn(config.tools, name) ? `'${name}' is off under 'tools'` : `there is no MCP server '${name}'`
        file.problemAt(file.nodeAt(['agents', agent, application, at])?.offset ?? 0, `agents.${agent}.${application}: ${off}`)
      }
    }
  }
}

/** Two servers under one name could not be distinguished. */
function noteSharedNamespaces(config: DeviceConfig, file: ConfigText): void {
  const builtIn = new Set(Object.entries(config.tools).flatMap(([name, on]) => (on ? [name] : [])))
  const taken = new Set<string>([...builtIn, ...config.presets])
  for (const [name, server] of Object.entries(config.mcpServers)) {
    const namespace = server.namespace ?? name
    if (taken.has(namespace)) {
      const node = file.find(['mcpServers', name]) ?? file.find(['servers', name])
      const hint = builtIn.has(namespace) ? `: give this one a 'namespace', or switch the built-in one off under 'tools'` : ''
      file.problemAt(node?.parent?.offset ?? 0, `another server already has the namespace '${namespace}'${hint}`)
    }
    taken.add(namespace)
  }
}

function noteIssue(issue: z.core.$ZodIssue, file: ConfigText): void {
  const path = issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part))
  if (issue.code !== 'unrecognized_keys')
    return file.problemAt(file.nodeAt(path)?.offset ?? 0, `${file.nameOf(path)}: ${textOf(issue, file.nodeAt(path)?.value)}`)
  for (const key of issue.keys) {
    const place = [...path, key]
    const offset = file.nodeAt(place)?.parent?.offset ?? 0
    file.problemAt(offset, `unknown key '${file.nameOf(place)}'${suggestion(key, keysAt(path))}`)
  }
}

function textOf(issue: z.core.$ZodIssue, given: unknown): string {
  if (issue.code !== 'invalid_value') return issue.message.replace(/^Invalid input: /, '')
  const names = issue.values.filter((each) => typeof each === 'string')
  const hint = typeof given === 'string' ? suggestion(given, names) : ''
  return `expected ${names.length === 1 ? '' : 'one of '}${issue.values.map((each) => JSON.stringify(each)).join(', ')}${hint}`
}

function suggestion(given: string, names: readonly string[]): string {
  const meant = closestName(given, names)
  return meant === null ? '' : `; did you mean '${meant}'?`
}
