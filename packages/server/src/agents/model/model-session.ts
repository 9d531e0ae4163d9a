import { aipError, type Clock, type Command, type Result } from '@orrery/aip'
import type { AgentContext, AgentOutcome } from '../agent.js'
import { spent } from './budget.js'
import type { CallOutcome, Entry } from './conversation.js'
import { ModelCaller } from './model-caller.js'
import { withoutSecrets, type ModelSettings } from './model-settings.js'
import { modelTools, type ModelTools } from './model-tools.js'
import { AskUser, Finish, OWN_TOOLS, ReturnToHost, ownTools } from './own-tools.js'
import { renderPrompt } from './prompts.js'
import { firstRole, selectedRole, type Role } from './role.js'
import { outcomeOf } from './tool-results.js'
import type { ToolCall, Turn } from './turn.js'

/** Most device calls of one turn; more are refused, so that a model that has lost its way does little. */
const MAX_CALLS = 50
/** How often the model is told to go on after a turn with nothing in it, or one that was cut. */
const MAX_NUDGES = 3

type Work = AgentContext['work']

/** How a goal was ended by the model. */
interface End {
  status: 'completed' | 'failed'
  result: string
}

/** One session with a model: turn by turn, until it says that it is done or may not go on. */
export class ModelSession {
  readonly #context: AgentContext
  readonly #settings: ModelSettings
  readonly #clock: Clock
  readonly #caller: ModelCaller
  readonly #conversation: Entry[] = []
  readonly #turns: Turn[] = []
  #role: Role
  #tools: ModelTools = { list: [], names: new Map() }
  /** What the device can be looked at with, in this role. */
  #looks: Role['looks'] = []
  #heard = 0

  constructor(context: AgentContext, settings: ModelSettings, clock: Clock) {
    this.#context = context
    this.#settings = settings
    this.#clock = clock
    const { logger, signal } = context
    this.#caller = new ModelCaller(settings, { clock, logger, signal, sleep: (ms) => context.sleep(ms) })
    this.#role = firstRole(context.platform)
  }

  /** Runs the session to its end. @throws AipError for what ends it as failed: the model, the budget, the device */
  async run(): Promise<AgentOutcome> {
    await this.#enter(this.#role)
    const results: string[] = []
    const goals = goalsOf(this.#context.work)
    for (const [index, goal] of goals.entries()) {
      this.#conversation.push({ kind: 'user', text: withoutSecrets(goal, this.#settings) })
      const { status, result } = await this.#pursue()
      if (status === 'failed') {
        const reason = result === '' ? 'the model gave up' : result
        return { status, result: null, error: goals.length === 1 ? reason : `step ${index + 1} failed: ${reason}` }
      }
      results.push(result)
    }
    return { status: 'completed', result: results.join('\n\n') }
  }

  /** Turn after turn, until the goal that was said last is reached or given up. */
  async #pursue(): Promise<End> {
    for (let nudges = 0; ;) {
      await this.#look()
      const turn = await this.#nextTurn()
      if (turn.calls.length > 0) {
        const end = await this.#answer(turn.calls)
        if (end !== null) return end
        continue
      }
      if (turn.finish === 'stop' && turn.text !== '') return { status: 'completed', result: turn.text }
      if (turn.finish === 'content-filter') throw aipError('MODEL_STOPPED', { reason: 'its provider filtered the answer' })
      if (turn.finish !== 'length' && turn.text !== '') return { status: 'completed', result: turn.text }
      if (nudges === MAX_NUDGES) throw aipError('MODEL_STOPPED', { reason: 'its turns are cut off or empty, again and again' })
      nudges += 1
      const nudge =
        turn.finish === 'length' ? 'Your answer was cut off. Be shorter, and go on.' : 'Go on: call a tool, or finish.'
      this.#conversation.push({ kind: 'user', text: nudge })
    }
  }

  /** The next turn: from the log, or from the model if the session may have another. */
  async #nextTurn(): Promise<Turn> {
    const turn = await this.#context.step('turn', async () => {
      const problem = spent(this.#turns, this.#clock.now() - this.#context.startedAt, this.#settings.limits)
      if (problem !== null) throw problem
      const heard = this.#context.remarks().slice(this.#heard)
      const asked = await this.#caller.ask({
        system: renderPrompt('system', {
          device: this.#context.deviceId,
          platform: this.#context.platform,
          role: this.#role.prompt,
        }),
        entries: [...this.#conversation, ...heard.map((text) => remarked(text))],
        tools: [...ownTools(this.#role.inApplication), ...this.#tools.list],
      })
      return { heard: [...heard], ...asked }
    })
    this.#heard += turn.heard.length
    this.#conversation.push(...turn.heard.map((text) => remarked(text)), { kind: 'turn', turn })
    this.#turns.push(turn)
    return turn
  }

  /** Changes the role, and with it the tools. */
  async #enter(role: Role): Promise<void> {
    this.#role = role
    this.#tools = modelTools(await this.#context.listTools('action', role.options), OWN_TOOLS)
    this.#looks = []
    if (role.looks.length === 0) return
    // Not every device has data collection.
    const there = await this.#context.listTools('data_collection', role.options).catch((error: unknown) => {
      if (this.#context.signal.aborted) throw error
      return []
    })
    const names = new Set(there.map((tool) => tool.tool_name))
    const { images } = this.#settings.main
    this.#looks = role.looks.filter(({ tool_name: name, gives }) => names.has(name) && (images || gives === 'text'))
  }

  /** Looks at the device as the role wants it, before a turn. */
  async #look(): Promise<void> {
    const looks = this.#looks
    if (looks.length === 0) return
    const commands = looks.map(({ tool_name, parameters }) => ({ tool_name, parameters, tool_type: 'data_collection' as const }))
    const results = await this.#context.execute(commands, { ...this.#role.options, label: 'looks at the screen' })
    const outcomes = results.map((result, index) => this.#outcome(`look-${index}`, commands[index]?.tool_name ?? '', result))
    this.#conversation.push({ kind: 'observation', outcomes })
  }

  /** Answers the calls of a turn: those for the device as one batch, then those for the server. @returns the end, if it was called */
  async #answer(calls: readonly ToolCall[]): Promise<End | null> {
    const outcomes = new Map<ToolCall, CallOutcome>()
    const refuse = (call: ToolCall, text: string): void =>
      void outcomes.set(call, { callId: call.id, tool: call.tool, status: 'failure', text, images: [] })
    const own = calls.filter(({ tool }) => isOwn(tool))
    const batch: { call: ToolCall; command: Omit<Command, 'call_id'> }[] = []
    for (const call of calls) {
      if (own.includes(call)) continue
      const name = this.#tools.names.get(call.tool)
      if (name === undefined) refuse(call, `There is no tool '${call.tool}'`)
      else if (call.input === null) refuse(call, 'The arguments are not a JSON object')
      else if (batch.length >= MAX_CALLS) refuse(call, `At most ${MAX_CALLS} calls at once: this one was not made`)
      else batch.push({ call, command: { tool_name: name, parameters: call.input, tool_type: 'action' } })
    }
    const entered = await this.#execute(batch, outcomes)
    const answers: Entry[] = []
    let end: End | null = null
    let left = false
    for (const call of own) {
      if (call.tool === 'finish') {
        const asked = Finish.safeParse(call.input)
        const open = [...outcomes.values()].some(({ status }) => status !== 'success')
        if (!asked.success) refuse(call, 'finish needs a status and a result')
        else if (open && asked.data.status === 'completed')
          refuse(call, 'Not finished: another call of this turn failed; look at it first')
        else {
          end ??= asked.data
          this.#tell(outcomes, call, 'finished')
        }
      } else if (call.tool === 'ask_user') {
        const asked = AskUser.safeParse(call.input)
        if (!asked.success) refuse(call, 'ask_user needs a question')
        else answers.push(...(await this.#askUser(call, asked.data.question, outcomes)))
      } else {
        left = this.#role.inApplication
        const summary = ReturnToHost.safeParse(call.input)
        if (left) this.#tell(outcomes, call, `back on the desktop${summary.success ? '' : ', without a summary'}`)
        else refuse(call, 'You are on the desktop already')
      }
    }
    this.#conversation.push({ kind: 'results', outcomes: calls.flatMap((call) => outcomes.get(call) ?? []) }, ...answers)
    if (end !== null) return end
    if (left) await this.#enter(firstRole(this.#context.platform))
    else if (entered !== null) await this.#enter(entered)
    return null
  }

  /** Runs the device's calls of a turn. @returns the role that they lead to, if they select an application */
  async #execute(
    batch: readonly { call: ToolCall; command: Omit<Command, 'call_id'> }[],
    outcomes: Map<ToolCall, CallOutcome>,
  ): Promise<Role | null> {
    if (batch.length === 0) return null
    const results = await this.#context.execute(
      batch.map(({ command }) => command),
      this.#role.options,
    )
    let entered: Role | null = null
    for (const [index, { call, command }] of batch.entries()) {
      const result = results[index]
      if (result === undefined) continue
      outcomes.set(call, this.#outcome(call.id, call.tool, result))
      entered = selectedRole(command, result) ?? entered
    }
    return entered
  }

  /** @returns what the user said, for after the results: it must not look like data of the device */
  async #askUser(call: ToolCall, question: string, outcomes: Map<ToolCall, CallOutcome>): Promise<Entry[]> {
    const answer = await this.#context.ask(question, this.#settings.questionMs)
    if (answer === null) {
      const text = 'Nobody answered. Decide yourself if that is safe; otherwise finish with status "failed".'
      outcomes.set(call, { callId: call.id, tool: call.tool, status: 'failure', text, images: [] })
      return []
    }
    this.#tell(outcomes, call, 'answered; the answer is in the next message of the user')
    return [{ kind: 'user', text: `The answer to "${question}":\n${withoutSecrets(answer, this.#settings)}` }]
  }

  #tell(outcomes: Map<ToolCall, CallOutcome>, call: ToolCall, text: string): void {
    outcomes.set(call, { callId: call.id, tool: call.tool, status: 'success', text, images: [] })
  }

  #outcome(callId: string, tool: string, result: Result): CallOutcome {
    return outcomeOf(callId, tool, result, (text) => withoutSecrets(text, this.#settings))
  }
}

/** What is said to the model, one after the other: a request as it is, a plan step by step. */
function goalsOf(work: Work): string[] {
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

function remarked(text: string): Entry {
  return { kind: 'user', text: `The user adds: ${text}` }
}

function isOwn(tool: string): tool is (typeof OWN_TOOLS)[number] {
  return (OWN_TOOLS as readonly string[]).includes(tool)
}
