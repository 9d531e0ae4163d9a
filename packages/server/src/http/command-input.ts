import type { Command } from '@orrery/aip'
import type { CommandInput } from '@orrery/aip/api'

/** A command of the API as the wire has it. */
export function toCommand({ tool_name, parameters, tool_type }: CommandInput): Command {
  return { tool_name, parameters: parameters ?? {}, tool_type: tool_type ?? null, call_id: null }
}
