import { aipError, withTimeLimit, type AIPProtocol, type Clock, type ServerMessage } from '@orrery/aip'

/** How long a server may take to acknowledge a task or to describe a device, in milliseconds: longer than its own limits, whose errors say more. */
const ANSWER_TIME = 45_000

interface Question {
  take: (message: ServerMessage) => boolean
  answered: PromiseWithResolvers<ServerMessage>
}

/** Questions to one server, one at a time: an error from an existing server does not say which message it answers. */
export class Questions {
  readonly #clock: Clock
  readonly #aip: () => AIPProtocol | null
  /** The last question in line. */
  #line: Promise<unknown> = Promise.resolve()
  #asked: Question | null = null

  /** @param aip returns the current registered connection, if there is one */
  constructor(clock: Clock, aip: () => AIPProtocol | null) {
    this.#clock = clock
    this.#aip = aip
  }

  /**
   * Sends a message and waits for its answer.
   * @param take returns whether a message is the answer
   * @throws AipError `REPORTED_BY_PEER` with the server's text, `TIMEOUT` or `CONNECTION_CLOSED`
   */
  ask(send: (aip: AIPProtocol) => Promise<void>, take: Question['take']): Promise<ServerMessage> {
    const answer = this.#line.then(() => this.#exchange(send, take))
    this.#line = answer.catch(() => {})
    return answer
  }

  /** Hands a message to the waiting question. @returns whether it belongs to that question */
  offer(message: ServerMessage): boolean {
    const question = this.#asked
    if (question === null) return false
    if (message.type === 'error') {
      question.answered.reject(aipError('REPORTED_BY_PEER', { text: message.error ?? 'Unknown error' }))
      return true
    }
    if (!question.take(message)) return false
    question.answered.resolve(message)
    return true
  }

  /** Fails the waiting question because its connection has ended. */
  fail(): void {
    this.#asked?.answered.reject(aipError('CONNECTION_CLOSED'))
  }

  async #exchange(send: (aip: AIPProtocol) => Promise<void>, take: Question['take']): Promise<ServerMessage> {
    const aip = this.#aip()
    if (aip === null) throw aipError('CONNECTION_CLOSED')
    const answered = Promise.withResolvers<ServerMessage>()
    answered.promise.catch(() => {})
    this.#asked = { take, answered }
    try {
      await send(aip)
      return await withTimeLimit(answered.promise, { clock: this.#clock, ms: ANSWER_TIME, operation: 'The request' })
    } finally {
      this.#asked = null
    }
  }
}
