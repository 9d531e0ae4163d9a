import { createInterface, type Interface } from 'node:readline'
import { Writable, type Readable } from 'node:stream'
import { messageOf } from '@orrery/aip'
import type { SessionEvent } from '@orrery/aip/api'
import type { SessionsApi } from '@orrery/constellation'
import { textOf } from './event-data.js'

/** What a conversation says to the user. */
export interface ConversationPort {
  sessions: Pick<SessionsApi, 'answer' | 'remark'>
  sessionId: string
  /** A terminal. */
  input: Readable
  /** What is typed and not sent yet, after each key. */
  draft: (text: string, cursor: number) => void
  /** A line for the user, for example that a remark could not be sent. */
  note: (text: string) => void
}

/** Lets the user talk with a running task: a typed line answers its question, or is a remark. */
export class Conversation {
  readonly #port: ConversationPort
  readonly #reader: Interface
  readonly #typed = (): void => this.#port.draft(this.#reader.line, this.#reader.cursor)
  #question: string | null = null
  /** Whether the line that is being typed was begun before the question came: then it cannot be its answer. */
  #begunBefore = false
  /** Lines go out one after the other. */
  #said: Promise<void> = Promise.resolve()

  constructor(port: ConversationPort) {
    this.#port = port
    // The terminal does not show what is typed: the lines about the task would be written into the middle of it.
    const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
    this.#reader = createInterface({ input: port.input, output: nowhere, terminal: true })
    port.input.on('keypress', this.#typed)
    // In that mode it does not turn Ctrl-C into a signal either.
    this.#reader.on('SIGINT', () => process.kill(process.pid, 'SIGINT'))
    this.#reader.on('line', (line) => {
      const text = line.trim()
      const question = this.#begunBefore ? null : this.#question
      this.#begunBefore = false
      if (text !== '') this.#said = this.#said.then(() => this.#say(text, question))
    })
  }

  /** Follows what the session asks. */
  hear(event: SessionEvent): void {
    if (event.type === 'question') {
      this.#question = textOf(event.data['question_id'])
      this.#begunBefore = this.#reader.line !== ''
    }
    if (event.type === 'answer' || event.type === 'ended') this.#question = null
  }

  /** Stops listening. */
  close(): void {
    this.#port.input.off('keypress', this.#typed)
    this.#port.draft('', 0)
    this.#reader.close()
    // An input that is still read keeps the process alive.
    this.#port.input.pause()
  }

  /** @param question what it answers; null for a remark */
  async #say(text: string, question: string | null): Promise<void> {
    const { sessions, sessionId, note } = this.#port
    try {
      await (question === null ? sessions.remark(sessionId, text) : sessions.answer(sessionId, text, question))
    } catch (error) {
      note(messageOf(error))
    }
  }
}
