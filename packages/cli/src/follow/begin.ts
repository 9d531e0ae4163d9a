import type { CreateSession, Session } from '@orrery/aip/api'
import type { OrreryApi } from '@orrery/constellation'
import type { Command } from 'commander'
import { CliError, EXIT } from '../terminal/errors.js'
import { shortId } from '../terminal/format.js'
import { onInterrupt } from '../terminal/interrupt.js'
import { orrery } from '../terminal/invocation.js'
import { note, print, printJson } from '../terminal/write.js'

/** Adds the option that returns before the session has ended. */
export function withNoWait(command: Command): Command {
  return command.option('--no-wait', 'return at once: print the id of the session, and how to follow it')
}

/**
 * Starts a session. One that is interrupted before the server has answered is cancelled once it is known.
 * @throws {CliError} with the exit code of an interruption
 */
export async function begin(api: OrreryApi, wanted: CreateSession): Promise<Session> {
  let interrupted = false
  const release = onInterrupt(() => {
    interrupted = true
  })
  const wasInterrupted = (): boolean => interrupted
  try {
    const session = await api.sessions.create(wanted)
    if (!wasInterrupted()) return session
    await api.sessions.cancel(session.session_id)
    throw new CliError('Cancelled', EXIT.interrupted)
  } finally {
    release()
  }
}

/** Says which session was started, for a caller that does not wait for it. */
export function leave(session: Session, json: boolean | undefined): void {
  if (json === true) return printJson(session)
  print(session.session_id)
  note(`Follow it with: ${orrery(`session -f ${shortId(session.session_id)}`)}`)
}
