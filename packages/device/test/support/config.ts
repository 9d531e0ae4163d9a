import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { BUILT_IN_NAMES, DeviceConfig, type BuiltInName } from '../../src/index.js'

/** The tools of `fixtures/tool-server.ts`. */
export const TOOL_SERVER = {
  command: process.execPath,
  args: [fileURLToPath(new URL('../fixtures/tool-server.ts', import.meta.url))],
}

/** The key `policy` of a configuration in which everything is allowed: for tests that are about something else. */
export const ALLOW_ALL = [{ do: 'allow' }]

/** The key `tools` of a configuration in which only these built-in servers are on. */
export function onlyTools(...names: BuiltInName[]): Record<string, boolean> {
  return Object.fromEntries(BUILT_IN_NAMES.map((name) => [name, names.includes(name)]))
}

/** A configuration without the built-in tools, with these servers. */
export function withServers(mcpServers: Record<string, object>): DeviceConfig {
  return DeviceConfig.parse({ tools: onlyTools(), mcpServers, policy: ALLOW_ALL })
}

/** Returns whether a process lives. One that has ended and whose new parent has not noticed yet does not. */
export function lives(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return process.platform !== 'linux' || !/^\d+ \(.*\) [ZX]/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}
