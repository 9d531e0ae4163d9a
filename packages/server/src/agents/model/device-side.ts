import type { Command } from '@orrery/aip'
import type { AgentContext } from '../agent.js'
import type { CallOutcome, Entry } from './conversation.js'
import { aboutDevice } from './about-device.js'
import { fitArguments } from './fit-arguments.js'
import { meantTool } from './meant-tool.js'
import type { ModelSettings } from './model-settings.js'
import { modelTools, type ModelTools } from './model-tools.js'
import { OfferedTools } from './offered-tools.js'
import { OWN_TOOLS, ownTools } from './own-tools.js'
import { firstRole, selectedRole, type Role } from './role.js'
import { outcomeOf } from './tool-results.js'
import type { ToolCall } from './turn.js'
import { Untrusted } from './untrusted.js'
import { SERVER_LIMITS } from '../../limits.js'

/** The device as the model sees it: the tools of its role, its appearance, and the outcomes of calls. */
export class DeviceSide {
  readonly #context: AgentContext
  readonly #settings: ModelSettings
  #role: Role
  #tools: ModelTools = { list: [], names: new Map(), prose: {} }
  #offered = new OfferedTools(this.#tools)
  /** The schemas of the tools as the device lists them, by their names for the model. */
  #schemas: ReadonlyMap<string, Record<string, unknown> | null> = new Map()
  /** The tools for looking at the device in this role. */
  #looks: Role['looks'] = []

  constructor(context: AgentContext, settings: ModelSettings) {
    this.#context = context
    this.#settings = settings
    this.#role = firstRole(context.agentName)
  }

  get role(): Role {
    return this.#role
  }

  /** What the device says of itself. */
  get about(): Untrusted {
    const { deviceId, platform } = this.#context
    return aboutDevice({ deviceId, platform, application: this.#role.application, tools: this.#offered.prose })
  }

  /** The tools that the model is offered: the server's own, and those of the device for which there is room. */
  get tools(): ModelTools['list'] {
    return [...ownTools(this.#role.inApplication, this.#offered.hidden), ...this.#offered.list]
  }

  /** Finds tools that were not offered; they are from then on. @returns what the device says of them; null if there are none */
  findTools(query: string): Untrusted | null {
    return this.#offered.find(query)
  }

  /** Returns calls with the tools that the model means, and arguments as their schemas ask for them. */
  fitted(calls: readonly ToolCall[]): ToolCall[] {
    const known = new Map([...this.#tools.names, ...OWN_TOOLS.map((name) => [name, name] as const)])
    return calls.map((call) => {
      const tool = meantTool(call.tool, known)
      const schema = this.#schemas.get(tool)
      return { ...call, tool, input: call.input === null || schema === undefined ? call.input : fitArguments(call.input, schema) }
    })
  }

  /** Starts with the first role of a session. @throws AipError if the device does not list its tools */
  begin(): Promise<void> {
    return this.#enter(firstRole(this.#context.agentName))
  }

  /** Looks at the device before a turn, as its role requires. @returns null if there is nothing to look at */
  async look(): Promise<Entry | null> {
    const looks = this.#looks
    if (looks.length === 0) return null
    const commands = looks.map(({ tool_name, parameters }) => ({ tool_name, parameters, tool_type: 'data_collection' as const }))
    const results = await this.#context.execute(commands, { ...this.#role.options, label: 'looks at the screen' })
    const outcomes = results.map((result, index) => outcomeOf(`look-${index}`, commands[index]?.tool_name ?? '', result))
    return { kind: 'observation', outcomes }
  }

  /** Runs the calls of one turn as one batch. A call that selects an application changes the role. @returns their outcomes */
  async run(calls: readonly ToolCall[]): Promise<Map<ToolCall, CallOutcome>> {
    const outcomes = new Map<ToolCall, CallOutcome>()
    const batch: { call: ToolCall; command: Omit<Command, 'call_id'> }[] = []
    for (const call of calls) {
      const name = this.#tools.names.get(call.tool)
      if (name === undefined) outcomes.set(call, refused(call, `There is no tool '${call.tool}'`))
      else if (call.input === null) outcomes.set(call, refused(call, notAnObject(call)))
      else if (batch.length >= SERVER_LIMITS.callsPerTurn)
        outcomes.set(call, refused(call, `At most ${SERVER_LIMITS.callsPerTurn} calls at once: this one was not made`))
      else batch.push({ call, command: { tool_name: name, parameters: call.input, tool_type: 'action' } })
    }
    if (batch.length === 0) return outcomes
    const commands = batch.map(({ command }) => command)
    const results = await this.#context.execute(commands, this.#role.options)
    let entered: Role | null = null
    for (const [index, { call, command }] of batch.entries()) {
      const result = results[index]
      if (result === undefined) continue
      outcomes.set(call, outcomeOf(call.id, call.tool, result))
      entered = selectedRole(command, result) ?? entered
    }
    if (entered !== null) await this.#enter(entered)
    return outcomes
  }

  /** Changes the role and thus the tools. */
  async #enter(role: Role): Promise<void> {
    this.#role = role
    const listed = await this.#context.listTools('action', role.options)
    this.#tools = modelTools(listed, OWN_TOOLS)
    this.#offered = new OfferedTools(this.#tools)
    const schemas = new Map(listed.map((tool) => [tool.tool_name, tool.input_schema]))
    this.#schemas = new Map([...this.#tools.names].map(([known, name]) => [known, schemas.get(name) ?? null]))
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
}

/** Returns the outcome of a call that was not made. */
export function refused({ id, tool }: ToolCall, text: string): CallOutcome {
  return { callId: id, tool, status: 'failure', text: new Untrusted(text), images: [] }
}

/** Says why the arguments of a call cannot be read. */
export function notAnObject({ problem }: ToolCall): string {
  return `The arguments are not a JSON object${problem === undefined ? '' : `: ${problem}`}`
}
