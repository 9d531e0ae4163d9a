import { isoTime, type Clock } from '@orrery/aip'
import type { PastQuestion } from './restore.js'
import type { SessionLog } from './session-log.js'
import { SERVER_LIMITS } from '../limits.js'
import { serverError } from '../errors.js'

interface Open {
  id: string
  settle: (answer: string | null) => void
}

/** The questions of one session to its user: asked once, answered once, across restarts. */
export class Questions {
  readonly #log: SessionLog
  readonly #clock: Clock
  /** Aborted when the session is cancelled. */
  readonly #signal: AbortSignal
  /** Questions from before a restart that the agent has not reached again, in order. */
  readonly #past: PastQuestion[]
  #asked = 0
  #open: Open | null = null

  constructor(log: SessionLog, clock: Clock, signal: AbortSignal, past: PastQuestion[] = []) {
    this.#log = log
    this.#clock = clock
    this.#signal = signal
    this.#past = past
  }

  /**
   * Asks a question and waits for the answer.
   * @param ms milliseconds to wait
   * @returns null without an answer in time
   * @throws the reason of the session's abort; AipError `TOO_MANY_QUESTIONS`, or `REPLAY_DIVERGED` if another question was asked before a restart
   */
  async ask(text: string, ms: number): Promise<string | null> {
    const clock = this.#clock
    const signal = this.#signal
    signal.throwIfAborted()
    const past = this.#past.shift()
    if (past !== undefined && past.text !== text) throw serverError('REPLAY_DIVERGED')
    if (past?.answer !== undefined) {
      this.#asked += 1
      return past.answer
    }
    this.#asked += 1
    if (past === undefined && this.#asked > SERVER_LIMITS.sessionQuestions) {
      throw serverError('TOO_MANY_QUESTIONS', { limit: SERVER_LIMITS.sessionQuestions })
    }
    const id = past?.id ?? crypto.randomUUID()
    const { promise, resolve, reject } = Promise.withResolvers<string | null>()
    // It may settle before anything waits for it.
    promise.catch(() => {})
    const abort = (): void => reject(signal.reason)
    signal.addEventListener('abort', abort)
    // The question may be answered as soon as it can be read.
    const open: Open = { id, settle: resolve }
    this.#open = open
    const timer = clock.after(ms, () => {
      void this.#settle(null, 'nobody').catch(reject)
    })
    try {
      if (past === undefined) {
        await this.#log.record('question', { question_id: id, text, expires_at: isoTime(clock.now() + ms) })
      }
      return await promise
    } finally {
      timer.cancel()
      signal.removeEventListener('abort', abort)
      this.#close(open)
    }
  }

  /** Takes the answer to the open question. @throws AipError `NO_QUESTION` if there is none, or not this one */
  async answer(text: string, by: string, questionId?: string): Promise<void> {
    const waiting = this.#past.find((question) => question.answer === undefined)
    const id = this.#open?.id ?? waiting?.id
    if (id === undefined || (questionId !== undefined && questionId !== id))
      throw serverError('NO_QUESTION', { id: this.#log.sessionId })
    if (this.#open !== null) return this.#settle(text, by)
    // The agent of a continued session has not reached this question yet.
    if (waiting === undefined) return
    await this.#log.record('answer', { question_id: id, text, by })
    waiting.answer = text
  }

  #close(open: Open): void {
    if (this.#open === open) this.#open = null
  }

  async #settle(text: string | null, by: string): Promise<void> {
    const open = this.#open
    if (open === null) return
    // Accepted before it is recorded: of two answers, the first counts.
    this.#open = null
    try {
      await this.#log.record('answer', { question_id: open.id, text, by })
    } catch (error) {
      this.#open = open
      throw error
    }
    open.settle(text)
  }
}
