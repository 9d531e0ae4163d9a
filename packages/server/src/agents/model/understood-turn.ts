import { randomUUID } from 'node:crypto'
import type { LanguageModelV4FunctionTool } from '@ai-sdk/provider'
import type { Entry } from './conversation.js'
import type { ReadTurn } from './read-turn.js'
import { callsInText } from './text-calls.js'

/**
 * Returns a turn with the calls that the model wrote as text, if it wrote them so. A call that stands word for word in what a device said
 * is not made: a model that only repeats it has not called for anything.
 */
export function understoodTurn(
  turn: ReadTurn,
  { tools, entries }: { tools: readonly LanguageModelV4FunctionTool[]; entries: readonly Entry[] },
): ReadTurn {
  // What was cut off may be half a call.
  if (turn.calls.length > 0 || turn.finish === 'length' || turn.finish === 'content-filter') return turn
  const found = callsInText(turn.text, new Set(tools.map(({ name }) => name)))
  if (found === null || entries.some((entry) => isSaidIn(entry, found.written))) return turn
  return {
    ...turn,
    text: found.said,
    calls: found.calls.map(({ tool, input }) => ({ id: newId(), tool, input })),
    finish: 'tool-calls',
    // In its conversation the model finds the calls as it should have made them.
    content: null,
  }
}

function isSaidIn(entry: Entry, written: string): boolean {
  return 'outcomes' in entry && entry.outcomes.some(({ text }) => text.has(written))
}

/** Some endpoints accept nine letters and digits only. */
function newId(): string {
  return randomUUID().replaceAll('-', '').slice(0, 9)
}
