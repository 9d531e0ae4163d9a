import { type Clock } from '@orrery/aip'
import type { AgentContext, AgentOutcome } from '../agent.js'
import { spent } from './budget.js'
import type { CallOutcome, Entry } from './conversation.js'
import { DeviceSide } from './device-side.js'
import { ModelCaller } from './model-caller.js'
import type { Secrets } from '../../identity/secrets.js'
import type { ModelSettings } from './model-settings.js'
import { answerOwnCall, type End } from './own-calls.js'
import { OWN_TOOLS, ownTools } from './own-tools.js'
import { renderPrompt } from './prompts.js'
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
    const results: string[] = []
    const goals = goalsOf(this.#context.work)
    for (const [index, goal] of goals.entries()) {
      this.#say(goal)
      const { status, result } = await this.#pursue()
      if (status === 'failed') {
        const reason = result === '' ? 'the model gave up' : result
        return { status, result: null, error: goals.length === 1 ? reason : `step ${index + 1} failed: ${reason}` }
      }
      results.push(result)
    }
    return { status: 'completed', result: results.join('\n\n') }
  }

  /** Takes turns until the last goal is reached or given up, and the model has received every remark. */
  async #pursue(): Promise<End> {
    for (let nudges = 0; ;) {
      const seen = await this.#device.look()
      if (seen !== null) this.#conversation.push(seen)
      const turn = await this.#nextTurn()
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
        tools: [...ownTools(role.inApplication), ...tools],
      })
      return { heard, ...asked }
    })
    this.#heard += turn.heard.length
    this.#conversation.push(...turn.heard.map((text) => this.#remarked(text)), { kind: 'turn', turn })
    this.#turns.push(turn)
    return turn
  }

  /** Answers the calls of a turn: those for the device as one batch, then the server's own. @returns the end, if the model called for it */
  async #answer({ calls, text }: Turn): Promise<End | null> {
    const { inApplication } = this.#device.role
    const own = calls.filter(({ tool }) => isOwn(tool))
    const outcomes = await this.#device.run(calls.filter((call) => !own.includes(call)))
    const later: Entry[] = []
    let end: End | null = null
    let left = false
    for (const call of own) {
      const answered = await answerOwnCall(call, {
        ask: (question) => this.#context.ask(question, this.#settings.questionMs),
        inApplication,
        anyFailed: anyFailed(outcomes),
      })
      outcomes.set(call, answered.outcome)
      // What it said alongside is the result that it forgot to pass.
      if (answered.end !== undefined) end ??= { ...answered.end, result: answered.end.result || text }
      left ||= answered.left === true
      if (answered.said !== undefined) later.push(answered.said)
    }
    this.#conversation.push({ kind: 'results', outcomes: calls.flatMap((call) => outcomes.get(call) ?? []) }, ...later)
    if (left && end === null) await this.#device.begin()
    return end
  }

  /** Says something to the model on behalf of the user. */
  #say(text: string): void {
    this.#conversation.push({ kind: 'user', text })
  }

  #remarked(text: string): Entry {
    return { kind: 'user', text: `The user adds: ${text}` }
  }
}

/** Returns how a turn without calls ends the goal: as completed, with its text; null if it has no text, or was cut off. */
function endOf({ finish, text }: Turn): End | null {
  if (finish === 'content-filter') throw serverError('MODEL_STOPPED', { reason: 'its provider filtered the answer' })
  return finish === 'length' || text === '' ? null : { status: 'completed', result: text }
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

function anyFailed(outcomes: ReadonlyMap<ToolCall, CallOutcome>): boolean {
  return [...outcomes.values()].some(({ status }) => status !== 'success')
}

function isOwn(tool: string): boolean {
  return (OWN_TOOLS as readonly string[]).includes(tool)
}
