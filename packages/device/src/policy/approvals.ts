import { createHash } from 'node:crypto'
import { messageOf, sleep, type Clock, type Logger } from '@orrery/aip'
import type { Approver } from './policy-config.js'

/** The question whether exactly this call may run on this device. */
export interface Ask {
  askId: string
  sessionId: string | null
  callId: string
  tool: string
  argumentsHash: string
  /** The whole call and the reason of the question, with nothing hidden: all that an answer allows. */
  summary: string
  /** SHA-256, as hex, of the tool, the hash of the arguments and the summary: an answer is to exactly this. */
  digest: string
  /** Milliseconds since the epoch. */
  expiresAt: number
}

/** What the owner at the device's terminal can do beyond one answer: a rule that allows such calls from now on. */
export interface AlwaysOffer {
  /** The rule as JSON, as it would be written. */
  rule: string
  /** The configuration file that it would be written to. */
  file: string
  /** What it allows beyond this call; null for nothing. */
  beyond: string | null
  /** Writes it. @returns what decides from now on, e.g. `policy.rules[2]` @throws AipError `RULE_NOT_ADDED` */
  add(): Promise<string>
}

/** A question as it is asked at the device's terminal. */
export interface TerminalAsk extends Ask {
  /** The agent that asks for the call, who asked the server for the task, and the task in words, as the server names them. */
  agent: string | null
  requestedBy: string | null
  task: string | null
  /** Null where no rule can say exactly this, or where there is no file for it. */
  always: AlwaysOffer | null
}

/** How an ask was answered. */
export interface Answer {
  decision: 'allow' | 'deny'
  /** Who answered: `terminal`, or the operator as the server names it. */
  by: string
  /** The rule that the owner has added with the answer, and that decides from now on. */
  rule?: string
}

/** What is answered at the terminal: once, or by a rule that was added. */
export type TerminalAnswer = 'allow' | 'deny' | { rule: string }

/** Asks at the device's terminal. @param signal aborts when the question is settled otherwise @returns null without an answer */
export type TerminalApprover = (ask: TerminalAsk, signal: AbortSignal) => Promise<TerminalAnswer | null>

/** What {@link Approvals} are built from. */
export interface ApprovalsOptions {
  approvers: readonly Approver[]
  timeoutMs: number
  /** Left out where there is no terminal to ask at. */
  terminal?: TerminalApprover | undefined
  clock: Clock
  logger: Logger
}

/** Calls that wait for permission. Each ask is answered once, or expires as denied. */
export class Approvals {
  #options: ApprovalsOptions
  readonly #pending = new Map<string, { ask: Ask; settle: (answer: Answer) => void }>()
  /** Sends an ask to the server; null while no server can take one. It is used only while the owner allows it. */
  #server: ((ask: Ask) => void) | null = null

  constructor(options: ApprovalsOptions) {
    this.#options = options
  }

  /** Whether the owner lets operators of the server answer. */
  get viaServer(): boolean {
    return this.#options.approvers.includes('server')
  }

  /** Changes who may answer and in which time; asks that already wait are not affected. */
  update(rules: Pick<ApprovalsOptions, 'approvers' | 'timeoutMs'>): void {
    this.#options = { ...this.#options, ...rules }
  }

  /** Sets how asks reach the server; those that wait are sent at once. */
  reachServer(send: ((ask: Ask) => void) | null): void {
    this.#server = send
    for (const { ask } of this.#pending.values()) this.#sender?.(ask)
  }

  /**
   * Asks, and waits for the answer.
   * @param signal ends the wait
   * @param waiting called when permission is asked for
   * @returns null if there is no one to ask, `expired` if no answer came in time or the wait was ended
   */
  async request(
    { agent, requestedBy, task, always, ...question }: Omit<TerminalAsk, 'askId' | 'digest' | 'expiresAt'>,
    signal: AbortSignal,
    waiting: () => void,
  ): Promise<Answer | 'expired' | null> {
    const { clock, timeoutMs } = this.#options
    const terminal = this.#options.approvers.includes('terminal') ? this.#options.terminal : undefined
    if (terminal === undefined && this.#sender === null) return null
    const ask: Ask = {
      ...question,
      askId: crypto.randomUUID(),
      digest: digestOf(question),
      expiresAt: clock.now() + timeoutMs,
    }
    const settled = new AbortController()
    const { promise, resolve } = Promise.withResolvers<Answer | 'expired'>()
    this.#pending.set(ask.askId, { ask, settle: resolve })
    waiting()
    this.#sender?.(ask)
    if (terminal !== undefined) this.#askTerminal(terminal, { ...ask, agent, requestedBy, task, always }, settled.signal, resolve)
    void sleep(clock, timeoutMs, AbortSignal.any([settled.signal, signal])).then(() => resolve('expired'))
    const answer = await promise
    settled.abort()
    this.#pending.delete(ask.askId)
    return answer
  }

  /**
   * Takes an answer that came through the server.
   * @param digest that of the ask which the approver has seen; null from a server that does not send it
   * @returns false if it was not asked for, or no longer, or if something else was shown
   */
  answer(askId: string, answer: Answer, digest: string | null): boolean {
    const pending = this.viaServer ? this.#pending.get(askId) : undefined
    if (pending === undefined || (digest !== null && digest !== pending.ask.digest)) return false
    pending.settle(answer)
    return true
  }

  get #sender(): ((ask: Ask) => void) | null {
    return this.viaServer ? this.#server : null
  }

  #askTerminal(terminal: TerminalApprover, ask: TerminalAsk, signal: AbortSignal, settle: (answer: Answer) => void): void {
    terminal(ask, signal).then(
      (answer) =>
        answer &&
        settle({ by: 'terminal', ...(typeof answer === 'string' ? { decision: answer } : { decision: 'allow', ...answer }) }),
      (error: unknown) => this.#options.logger.error(`Approval could not be asked for at the terminal: ${messageOf(error)}`),
    )
  }
}

function digestOf({ tool, argumentsHash, summary }: Pick<Ask, 'tool' | 'argumentsHash' | 'summary'>): string {
  return createHash('sha256')
    .update(JSON.stringify([tool, argumentsHash, summary]))
    .digest('hex')
}
