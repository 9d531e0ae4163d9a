import type { Command, PushedTool, Result } from '@orrery/aip'
import { failures } from './results.js'
import { serverErrorText } from '../errors.js'

/**
 * Returns the results of a batch with tools that its device does not have: an existing device would answer nothing at all. Nothing of such a batch
 * runs. Null if the device has all tools.
 * @param tools as the device listed them
 */
export function unknownTools(deviceId: string, commands: readonly Command[], tools: readonly PushedTool[]): Result[] | null {
  const types = new Set(tools.map((tool) => tool.tool_type))
  const keys = new Set(tools.map((tool) => `${tool.tool_type}::${tool.tool_name}`))
  const isKnown = ({ tool_name: name, tool_type: type }: Command): boolean =>
    name === 'list_tools' ? types.has(type ?? 'action') : keys.has(`${type ?? 'action'}::${name}`)
  if (commands.every(isKnown)) return null
  const names = [...new Set(tools.map((tool) => tool.tool_name))].join(', ')
  const textOf = ({ tool_name: tool }: Command): string => serverErrorText('TOOL_NOT_LISTED', { id: deviceId, tool, names })
  const results = failures(commands, textOf)
  for (const [index, command] of commands.entries()) {
    if (isKnown(command)) Object.assign(results[index] ?? {}, { status: 'skipped', error: serverErrorText('BATCH_NOT_SENT') })
  }
  return results
}
