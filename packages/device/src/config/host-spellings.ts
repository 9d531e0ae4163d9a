import type { JSONPath } from 'jsonc-parser'
import type { ConfigText } from './config-text.js'

type Json = Record<string, unknown>

/** How hosts write the kinds of servers, without signs and in small letters. */
const TYPES: Readonly<Record<string, string>> = {
  stdio: 'stdio',
  local: 'stdio',
  http: 'http',
  remote: 'http',
  streamablehttp: 'streamable-http',
  streamable: 'streamable-http',
  sse: 'sse',
  datacollection: 'data_collection',
}

/** Other names of the address. */
const ADDRESSES = ['httpUrl', 'serverUrl'] as const

/** Keys with which hosts allow calls without a question. */
const APPROVALS: ReadonlySet<string> = new Set(['autoApprove', 'alwaysAllow', 'autoApproved', 'trust'])
/** Keys that tell people something. */
const NOTES: ReadonlySet<string> = new Set([
  'description',
  'name',
  'title',
  'icon',
  'gallery',
  'note',
  'notes',
  'comment',
  'version',
])

/** A `timeout` is in seconds where hosts allow an hour at most, and in milliseconds where they count in these. */
const MOST_SECONDS = 3600

/**
 * Reads the MCP servers of a configuration as the hosts write them from which entries are copied: other names of the same thing, numbers and
 * booleans where text is meant, null for what is absent. A server that is switched off is left out.
 * @param value of the whole file
 * @param file takes note of what has no meaning here, and of the names that the file uses
 */
export function readHostSpellings(value: unknown, file: ConfigText): unknown {
  if (!isObject(value)) return value
  const { inputs, ...config } = value
  if (inputs !== undefined)
    file.warnAt(['inputs'], "'inputs' are not asked for here; write ${NAME} and set the environment variable of that name")
  for (const key of ['mcpServers', 'servers']) {
    const servers = config[key]
    if (!isObject(servers)) continue
    const read = Object.entries(servers).map(([name, server]) => [name, readServer(server, [key, name], file)])
    config[key] = Object.fromEntries(read.filter(([, server]) => server !== OFF))
  }
  return config
}

/** Stands for a server that is switched off. */
const OFF = Symbol('off')

function readServer(value: unknown, path: JSONPath, file: ConfigText): unknown {
  if (!isObject(value)) return value
  const server: Json = Object.fromEntries(Object.entries(value).filter(([, each]) => each !== null))
  const isOff = server['disabled'] === true || server['enabled'] === false
  if (typeof server['disabled'] === 'boolean') delete server['disabled']
  if (typeof server['enabled'] === 'boolean') delete server['enabled']
  if (isOff) return OFF
  for (const key of Object.keys(server)) {
    const hint = meaninglessKey(key, String(path.at(-1)))
    if (hint === null) continue
    file.warnAt([...path, key], `'${key}' has no meaning here${hint}`)
    delete server[key]
  }
  takeAddress(server, path, file)
  takeType(server, path, file)
  takeCommand(server, path, file)
  for (const key of ['args', 'env', 'headers']) server[key] = textsIn(server[key])
  const { timeout } = server
  if (typeof timeout === 'number' && timeout > MOST_SECONDS) server['timeout'] = timeout / 1000
  return Object.fromEntries(Object.entries(server).filter(([, each]) => each !== undefined))
}

/** What to use instead of a key that hosts have and that means nothing here; null for other keys. */
function meaninglessKey(key: string, name: string): string | null {
  if (NOTES.has(key)) return ''
  if (!APPROVALS.has(key)) return null
  return `; this device decides by 'policy', for example ${JSON.stringify({ server: name, do: 'allow' })}`
}

function takeAddress(server: Json, path: JSONPath, file: ConfigText): void {
  for (const key of ADDRESSES) {
    if (!(key in server) || 'url' in server) continue
    server['url'] = server[key]
    delete server[key]
    file.isWritten([...path, 'url'], [...path, key])
  }
}

function takeType(server: Json, path: JSONPath, file: ConfigText): void {
  if ('transport' in server && !('type' in server)) {
    server['type'] = server['transport']
    delete server['transport']
    file.isWritten([...path, 'type'], [...path, 'transport'])
  }
  const { type } = server
  if (typeof type !== 'string') return
  const plain = type.toLowerCase().replaceAll(/[-_ ]/g, '')
  if (Object.hasOwn(TYPES, plain)) server['type'] = TYPES[plain]
}

/** Some hosts write the program and its arguments as one list. */
function takeCommand(server: Json, path: JSONPath, file: ConfigText): void {
  const { command, args } = server
  if (!Array.isArray(command) || args !== undefined) return
  const [program, ...rest]: unknown[] = command
  server['command'] = program
  server['args'] = rest
  file.isWritten([...path, 'args'], [...path, 'command'])
}

/** Numbers and booleans as text, in a list or an object; what is null is left out. */
function textsIn(value: unknown): unknown {
  const text = (each: unknown): unknown => (typeof each === 'number' || typeof each === 'boolean' ? String(each) : each)
  if (Array.isArray(value)) return value.map(text)
  if (!isObject(value)) return value
  return Object.fromEntries(Object.entries(value).flatMap(([key, each]) => (each === null ? [] : [[key, text(each)]])))
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
