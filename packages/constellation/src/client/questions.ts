import { aipError, withTimeLimit, type AIPProtocol, type Clock, type ServerMessage } from '@orrery/aip'

/** How long a server has for the acknowledgement of a task or for what it knows of a device, in milliseconds. */
const ANSWER_TIME = 30_000

interface Question {
  take: (message: ServerMessage) => boolean
  answered: PromiseWithResolvers<ServerMessage>
}

/** Questions to one server, one at a time: an error of an existing server does not say what it answers. */
export class Questions {
  readonly #clock: Clock
  readonly #aip: () => AIPProtocol | null
  /** The last of those that wait to be asked. */
  #line: Promise<unknown> = Promise.resolve()
  #asked: Question | null = null

  /** @param aip gives the registered connection of the moment, if there is one */
  constructor(clock: Clock, aip: () => AIPProtocol | null) {
    this.#clock = clock
    this.#aip = aip
  }

  /**
   * Sends a message and waits for its answer.
   * @param take whether a message is the answer
   * @throws AipError `REPORTED_BY_PEER` with the server's text, `TIMEOUT` or `CONNECTION_CLOSED`
   */
  ask(send: (aip: AIPProtocol) => Promise<void>, take: Question['take']): Promise<ServerMessage> {
    const answer = this.#line.then(() => this.#exchange(send, take))
    this.#line = answer.catch(() => {})
    return answer
  }

  /** Hands a message to the question that waits. @returns whether it is about that question */
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

  /** Fails the question that waits, because its connection has ended. */
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
