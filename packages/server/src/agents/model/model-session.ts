import { type Clock } from '@orrery/aip'
import type { AgentContext, AgentOutcome } from '../agent.js'
import { spent } from './budget.js'
import type { CallOutcome, Entry } from './conversation.js'
import { DeviceSide } from './device-side.js'
import { ModelCaller } from './model-caller.js'
import type { Secrets } from '../../identity/secrets.js'
import { addressOf, type ModelSettings } from './model-settings.js'
import type { End } from './finish-call.js'
import { answerOwnCall } from './own-calls.js'
import { isOwnTool } from './own-tools.js'
import { renderPrompt } from './prompts.js'
import { RepeatedFailures } from './repeated-failures.js'
import { looksLikeCall } from './text-calls.js'
import type { ToolCall, Turn } from './turn.js'
import { SERVER_LIMITS } from '../../limits.js'
import { serverError } from '../../errors.js'

/**
 * One session with a model: turn by turn, until the model says that it is done or has no budget left. What it does depends only on what is
 * recorded, so that after a restart it reaches the same point without asking again.
 */
export class ModelSession {
  readonly #context: AgentContext
  readonly #settings: ModelSettings
  readonly #clock: Clock
  readonly #caller: ModelCaller
  readonly #device: DeviceSide
  readonly #conversation: Entry[] = []
  readonly #turns: Turn[] = []
  readonly #failures = new RepeatedFailures()
  /** How many remarks the model has received. */
  #heard = 0

  /** @param secrets what no model may read */
  constructor(context: AgentContext, settings: ModelSettings, secrets: Secrets, clock: Clock) {
    this.#context = context
    this.#settings = settings
    this.#clock = clock
    const { logger, signal } = context
    this.#caller = new ModelCaller(settings, secrets, {
      clock,
      logger,
      signal,
      sleep: (ms) => context.sleep(ms),
      report: (message) => context.report(message),
    })
    this.#device = new DeviceSide(context, settings)
  }

  /** Runs the session until it ends. @throws AipError if it fails because of the model, the budget or the device */
  async run(): Promise<AgentOutcome> {
    await this.#device.begin()
    const results: unknown[] = []
    const goals = goalsOf(this.#context.work)
    for (const [index, goal] of goals.entries()) {
      this.#say(goal)
      const { status, result } = await this.#pursue()
      if (status === 'failed') {
        const reason = result === '' ? 'the model gave up' : textOf(result)
        return { status, result: null, error: goals.length === 1 ? reason : `step ${index + 1} failed: ${reason}` }
      }
      results.push(result)
    }
    return { status: 'completed', result: results.length === 1 ? results[0] : results.map(textOf).join('\n\n') }
  }

  /** Takes turns until the last goal is reached or given up, and the model has received every remark. */
  async #pursue(): Promise<End> {
    for (let [nudges, texts] = [0, 0]; ;) {
      const seen = await this.#device.look()
      if (seen !== null) this.#conversation.push(seen)
      const turn = await this.#nextTurn()
      if (turn.calls.length > 0) {
        nudges = 0
        texts = 0
      } else if (isCallAsText(turn)) {
        if (texts === SERVER_LIMITS.textCalls) throw this.#callsAsText(turn)
        texts += 1
        this.#say(CALL_AS_TEXT)
        continue
      }
      const end = turn.calls.length > 0 ? await this.#answer(turn) : endOf(turn)
      if (end !== null) {
        if (!(await this.#isAwaited())) return end
      } else if (turn.calls.length === 0) {
        if (nudges === SERVER_LIMITS.emptyTurns)
          throw serverError('MODEL_STOPPED', { reason: 'its turns are repeatedly cut off or empty' })
        nudges += 1
        this.#say(
          turn.finish === 'length' ? 'Your answer was cut off. Be shorter, and continue.' : 'Continue: call a tool, or finish.',
        )
      }
    }
  }

  #callsAsText({ model }: Turn): Error {
    const { main, fallback } = this.#settings
    const endpoint = fallback?.model === model ? fallback : main
    return serverError('MODEL_CALLS_AS_TEXT', { model, where: addressOf(endpoint), setting: endpoint.settings.model })
  }

  /** Returns whether the user has said something that the model has not received yet; it then continues instead of ending. */
  #isAwaited(): Promise<boolean> {
    return this.#context.step('end', () => Promise.resolve(this.#context.remarks().length > this.#heard))
  }

  /** Returns the next turn: from the log, or from the model if the session may have another. */
  async #nextTurn(): Promise<Turn> {
    const turn = await this.#context.step('turn', async () => {
      const problem = spent(this.#turns, this.#clock.now() - this.#context.startedAt, this.#settings.limits)
      if (problem !== null) throw problem
      const heard = this.#context.remarks().slice(this.#heard)
      const { role, tools, about } = this.#device
      const asked = await this.#caller.ask({
        system: renderPrompt('system', { role: role.prompt }),
        about,
        entries: [...this.#conversation, ...heard.map((text) => this.#remarked(text))],
        tools,
      })
      // Fitted before they are recorded, so that they stay what they were.
      return { heard, ...asked, calls: this.#device.fitted(asked.calls) }
    })
    this.#heard += turn.heard.length
    this.#conversation.push(...turn.heard.map((text) => this.#remarked(text)), { kind: 'turn', turn })
    this.#turns.push(turn)
    return turn
  }

  /** Answers the calls of a turn: those for the device as one batch, then the server's own. @returns the end, if the model called for it */
  async #answer({ calls, text }: Turn): Promise<End | null> {
    const { inApplication } = this.#device.role
    const own = calls.filter(({ tool }) => isOwnTool(tool))
    const outcomes = await this.#device.run(calls.filter((call) => !own.includes(call)))
    const later: Entry[] = []
    let end: End | null = null
    let left = false
    for (const call of own) {
      const answered = await answerOwnCall(call, {
        ask: (question) => this.#context.ask(question, this.#settings.questionMs),
        findTools: (query) => this.#device.findTools(query),
        inApplication,
        anyFailed: anyFailed(outcomes),
      })
      outcomes.set(call, answered.outcome)
      // What it said alongside is the result that it forgot to pass.
      if (answered.end !== undefined) end ??= answered.end.result === '' ? { ...answered.end, result: text } : answered.end
      left ||= answered.left === true
      if (answered.said !== undefined) later.push(answered.said)
    }
    this.#conversation.push({ kind: 'results', outcomes: calls.flatMap((call) => outcomes.get(call) ?? []) }, ...later)
    if (end === null) this.#noteFailures(outcomes)
    if (left && end === null) await this.#device.begin()
    return end
  }

  /** Tells the model that it repeats a call that fails. @throws AipError if it does so too often */
  #noteFailures(outcomes: ReadonlyMap<ToolCall, CallOutcome>): void {
    const told = [...outcomes].map(([call, outcome]) => this.#failures.note(call, outcome)).filter((text) => text !== null)
    for (const text of new Set(told)) this.#say(text)
  }

  /** Says something to the model on behalf of the user. */
  #say(text: string): void {
    this.#conversation.push({ kind: 'user', text })
  }

  #remarked(text: string): Entry {
    return { kind: 'user', text: `The user adds: ${text}` }
  }
}

/** The answer to a call that a model wrote into its text. */
const CALL_AS_TEXT =
  'Nothing was done: that was text that looks like a tool call. Call tools with the function calls of your interface, not in your text. If the text is your answer, call finish with it as the result.'

/** Returns whether what a turn says is a call that was neither made nor understood. */
function isCallAsText({ finish, text }: Turn): boolean {
  return finish !== 'content-filter' && finish !== 'length' && looksLikeCall(text)
}

/**
 * Returns how a turn without calls ends the goal: as completed, with its text; null if it has no text, was cut off, or should have had
 * calls.
 */
function endOf({ finish, text }: Turn): End | null {
  if (finish === 'content-filter') throw serverError('MODEL_STOPPED', { reason: 'its provider filtered the answer' })
  return finish === 'length' || finish === 'tool-calls' || text === '' ? null : { status: 'completed', result: text }
}

/** Returns the goals of the model, one after the other: a request as a whole, a plan step by step. */
function goalsOf(work: AgentContext['work']): string[] {
  if (work.kind === 'words') return [work.request]
  if (work.kind !== 'plan') throw new TypeError(`not for a model: ${work.kind}`)
  return work.steps.map((step, index) =>
    renderPrompt('plan-step', {
      task: work.task,
      object: work.object === null ? '' : `It is about: ${work.object}`,
      number: `${index + 1}`,
      count: `${work.steps.length}`,
      step,
    }),
  )
}

function textOf(result: unknown): string {
  return typeof result === 'string' ? result : JSON.stringify(result)
}

function anyFailed(outcomes: ReadonlyMap<ToolCall, CallOutcome>): boolean {
  return [...outcomes.values()].some(({ status }) => status !== 'success')
}
