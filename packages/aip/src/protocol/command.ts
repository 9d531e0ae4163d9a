import { aipError } from '../errors.js'
import { readCommandNames } from '../messages/aliases.js'
import { Command, Result } from '../messages/values.js'
import { ProtocolPart } from './aip-protocol.js'

/** Checks commands and results before they are sent. */
export class CommandProtocol extends ProtocolPart {
  /** @throws AipError `INVALID_MESSAGE` naming the field */
  validateCommand(command: unknown): Command {
    return check(Command, renamed(command), 'command')
  }

  /** @throws AipError `INVALID_MESSAGE` naming the index and the field */
  validateCommands(commands: readonly unknown[]): Command[] {
    return commands.map((command, index) => check(Command, renamed(command), `commands.${index}`))
  }

  /** @throws AipError `INVALID_MESSAGE` naming the field */
  validateResult(result: unknown): Result {
    return check(Result, result, 'result')
  }

  /** @throws AipError `INVALID_MESSAGE` naming the index and the field */
  validateResults(results: readonly unknown[]): Result[] {
    return results.map((result, index) => check(Result, result, `results.${index}`))
  }
}

function check<T>(
  schema: {
    safeParse(
      value: unknown,
    ): { success: true; data: T } | { success: false; error: { issues: { path: PropertyKey[]; message: string }[] } }
  },
  value: unknown,
  where: string,
): T {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  throw aipError('INVALID_MESSAGE', {
    detail: `field '${[where, ...(issue?.path ?? [])].join('.')}': ${issue?.message ?? 'invalid'}`,
  })
}

/** Returns a command with the names of the wire; what is not an object is returned as it is. */
function renamed(command: unknown): unknown {
  if (typeof command !== 'object' || command === null) return command
  const raw = { ...command }
  readCommandNames(raw)
  return raw
}
