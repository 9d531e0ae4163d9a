import type { Session, SessionEvent } from '@orrery/aip/api'
import type { OrreryApi } from '@orrery/constellation'
import { Conversation } from './conversation.js'
import { CliError, EXIT } from '../terminal/errors.js'
import { onInterrupt } from '../terminal/interrupt.js'
import { orrery } from '../terminal/invocation.js'
import { Progress } from './progress.js'

/** How long a cancelled session may take to end, in milliseconds. */
const CANCEL_WAIT = 2000

/** What follows a session. */
export interface FollowOptions {
  /** Each event as it comes. */
  event: (event: SessionEvent) => void
  /** The user pressed Ctrl-C; the session is being cancelled. */
  interrupted?: () => void
  /** Whether an interruption cancels the session. Default true. */
  cancels?: boolean | undefined
}

/**
 * Follows a session until it ends. Ctrl-C cancels it, unless the options say otherwise.
 * @returns the ended session
 * @throws {CliError} with the exit code of an interruption, after Ctrl-C
 */
export async function follow(api: OrreryApi, session: Session, options: FollowOptions): Promise<Session> {
  const stop = new AbortController()
  let interrupted = false
  let timer: NodeJS.Timeout | undefined
  // Nothing else keeps the process alive while a lost connection waits to be restored.
  const alive = setInterval(() => {}, 60_000)
  const release = onInterrupt(() => {
    interrupted = true
    if (options.cancels === false) return stop.abort()
    options.interrupted?.()
    timer = setTimeout(() => stop.abort(), CANCEL_WAIT)
    // Whether or not the cancellation works, the user wants to leave.
    api.sessions.cancel(session.session_id, { timeoutMs: CANCEL_WAIT, signal: stop.signal }).catch(() => stop.abort())
  })
  const wasInterrupted = (): boolean => interrupted
  try {
    let ended = false
    for await (const event of api.sessions.events(session.session_id, { signal: stop.signal })) {
      options.event(event)
      ended = event.type === 'ended'
    }
    if (!wasInterrupted()) return await api.sessions.get(session.session_id)
    throw new CliError(ended ? 'Cancelled' : 'Interrupted', EXIT.interrupted)
  } catch (error) {
    if (!wasInterrupted() || error instanceof CliError) throw error
    if (options.cancels === false)
      throw new CliError(
        `The session runs on: '${orrery(`session -f ${session.session_id}`)}' follows it again`,
        EXIT.interrupted,
        { cause: error },
      )
    const detail = `The session may still run: 'orrery session ${session.session_id}' shows it`
    throw new CliError(detail, EXIT.interrupted, { cause: error })
  } finally {
    release()
    clearTimeout(timer)
    clearInterval(alive)
  }
}

/**
 * Follows a session until it ends and shows on stderr what happens.
 * @param shown.results whether the outcome of each command is shown too
 * @param shown.talks whether the user, at a terminal, may answer and add remarks meanwhile
 * @returns the ended session
 * @param shown.cancels whether an interruption cancels the session; default true
 * @throws {CliError} like {@link follow}
 */
export async function followShown(
  api: OrreryApi,
  session: Session,
  shown: { device: string; results: boolean; talks?: boolean; cancels?: boolean },
): Promise<Session> {
  const talks = shown.talks === true && process.stdin.isTTY && process.stderr.isTTY
  const progress = new Progress(shown.device, { results: shown.results, answers: talks })
  const conversation = talks
    ? new Conversation({
        sessions: api.sessions,
        sessionId: session.session_id,
        input: process.stdin,
        draft: (text, cursor) => progress.draft(text, cursor),
        note: (text) => progress.note(text),
      })
    : null
  try {
    return await follow(api, session, {
      event: (event) => {
        conversation?.hear(event)
        progress.show(event)
      },
      interrupted: () => progress.say('Cancelling'),
      cancels: shown.cancels,
    })
  } finally {
    conversation?.close()
    progress.close()
  }
}
