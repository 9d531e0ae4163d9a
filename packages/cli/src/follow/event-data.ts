import type { Command, Result } from '@orrery/aip'
import { WaitsFor, type SessionEvent } from '@orrery/aip/api'

/** What the command line shows of a command. */
export type ShownCommand = Pick<Command, 'tool_name' | 'parameters' | 'call_id'>
/** What the command line shows of a result. */
export type ShownResult = Pick<Result, 'status' | 'error' | 'call_id'>

/** The commands in a `commands_sent` event. */
export function commandsOf(event: SessionEvent): ShownCommand[] {
  return objects(event.data['commands']).map((command) => ({
    tool_name: textOf(command['tool_name']) ?? '?',
    parameters: isObject(command['parameters']) ? command['parameters'] : null,
    call_id: textOf(command['call_id']),
  }))
}

/** The results in a `results_received` event. */
export function resultsOf(event: SessionEvent): ShownResult[] {
  return objects(event.data['results']).map((result) => ({
    status: result['status'] === 'success' || result['status'] === 'skipped' ? result['status'] : 'failure',
    error: textOf(result['error']),
    call_id: textOf(result['call_id']),
  }))
}

/** A command in a few words: the tool and what it is called with. */
export function describeCommand(command: ShownCommand): string {
  const { program, args } = command.parameters ?? {}
  // A program as one would type it.
  if (typeof program === 'string' && Array.isArray(args)) return `${command.tool_name}  ${[program, ...args].join(' ')}`
  const values = Object.values(command.parameters ?? {})
  const [only] = values
  if (only === undefined) return command.tool_name
  const words = values.length === 1 && typeof only === 'string' ? only : JSON.stringify(command.parameters)
  return `${command.tool_name}  ${words}`
}

/** What an event says beyond its type, on one line. */
export function describeEvent(event: SessionEvent): string {
  switch (event.type) {
    case 'accepted':
      return textOf(event.data['request']) ?? ''
    case 'commands_sent':
      return commandsOf(event).map(describeCommand).join(', ')
    case 'results_received':
      return resultsOf(event)
        .map((result) => (result.error === null ? result.status : `${result.status}: ${result.error}`))
        .join(', ')
    case 'ended':
      return [textOf(event.data['status']), textOf(event.data['error'])].filter((text) => text !== null).join(': ')
    case 'agent_step':
      return turnOf(event)?.text ?? textOf(event.data['name']) ?? ''
    case 'question':
    case 'answer':
    case 'remark':
    case 'approval':
    case 'paused':
    case 'resumed':
    case 'delivered':
    case 'progress':
      return textOf(event.data['message']) ?? textOf(event.data['text']) ?? textOf(event.data['name']) ?? ''
  }
}

/** What the model said and used in an `agent_step` event; undefined for a step of another kind. */
export function turnOf(event: SessionEvent): { text: string; calls: string[] } | undefined {
  const { value } = event.data
  if (event.type !== 'agent_step' || !isObject(value) || !('calls' in value)) return undefined
  return { text: textOf(value['text']) ?? '', calls: objects(value['calls']).map((call) => textOf(call['tool']) ?? '?') }
}

/** What an event says that the session waits for from now on: null if it runs again, undefined if the event does not say. */
export function waitsOf(event: SessionEvent): WaitsFor | null | undefined {
  if (event.type !== 'progress' || event.data['waits_for'] === undefined) return undefined
  return WaitsFor.nullable().catch(null).parse(event.data['waits_for'])
}

/** The value if it is a text. */
export function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}

/** The value if it is a number. */
export function numberOf(value: unknown): number | null {
  return typeof value === 'number' ? value : null
}

function objects(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter(isObject) : []
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
