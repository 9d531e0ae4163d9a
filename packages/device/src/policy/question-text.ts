import { clearText } from '@orrery/aip'
import type { ToolCall, Verdict } from './policy.js'

/** Who allows a shell that can be written to allows everything that is written to it. */
const INPUT_NOTICE = {
  shell: 'This is an open shell until it ends: what is sent to its input later runs without another question.',
  unasked: 'What is sent to its input later is not asked about.',
}

/**
 * Returns all that the permission for a call would allow, for an approver to judge: the tool with its arguments, the words of its command one by
 * one, and why it is asked about. Nothing in it is hidden, so that what is read is what runs.
 */
export function questionText(call: ToolCall, { command, detail, input }: Verdict): string {
  const lines = [`${nameOf(call)} ${clear(call.args)}`]
  if (command !== null) {
    lines.push(`Runs: ${command.argv.map(clear).join(' ')}`, `In: ${clear(command.cwd)}`)
  }
  if (input !== 'none') lines.push(INPUT_NOTICE[input])
  return [...lines, clearText(detail)].join('\n')
}

/** The tool, and its server where anyone may have named both. */
function nameOf({ tool, server, builtIn }: ToolCall): string {
  const name = /^[\w.:-]+$/.test(tool) ? tool : clear(tool)
  return builtIn ? name : `${name} (of the MCP server ${clear(server)})`
}

function clear(value: string | Readonly<Record<string, unknown>>): string {
  return clearText(JSON.stringify(value))
}
