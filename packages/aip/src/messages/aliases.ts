import { aipError } from '../errors.js'
import { Command } from './values.js'

/** A command as a program may write it: the tool under the name of the wire or of the documents, `action` (contradictions, C-09). */
export type CommandLike = Partial<Command> & ({ tool_name: string } | { action: string })

/** Completes a command. @throws AipError `INVALID_INPUT` if it names no tool, or a field has the wrong type */
export function commandOf(command: CommandLike): Command {
  const raw = { ...command }
  readCommandNames(raw)
  const { data, error } = Command.safeParse(raw)
  if (data !== undefined) return data
  const [issue] = error.issues
  throw aipError('INVALID_INPUT', { detail: `field '${issue?.path.join('.')}' of a command: ${issue?.message}` })
}

/** Gives a command that names its tool as the documents do the name of the wire. */
export function readCommandNames(command: Record<string, unknown>): void {
  command['tool_name'] ??= command['action']
  if (typeof command['tool_type'] === 'string') command['tool_type'] = command['tool_type'].toLowerCase() || null
}

/** Gives a result with the names of the documents those of the wire (contradictions, C-10). */
export function readResultNames(result: Record<string, unknown>): void {
  if (typeof result['status'] === 'string') {
    const status = result['status'].toLowerCase()
    result['status'] = status === 'error' ? 'failure' : status
  }
  result['error'] ??= result['error_message']
  result['result'] ??= result['observation']
}
