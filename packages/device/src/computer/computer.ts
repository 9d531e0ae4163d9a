import type { Progress } from '@modelcontextprotocol/client'
import {
  isAipError,
  AipError,
  LIMITS,
  ToolType,
  aipError,
  clip,
  closestName,
  withTimeLimit,
  type Clock,
  type Command,
  type MCPToolInfo,
  type Result,
} from '@orrery/aip'
import type { MCPServer } from '../mcp/mcp-server.js'
import type { CallOrigin, Gate, Passage } from '../policy/gate.js'
import type { ToolCall } from '../policy/policy.js'
import { LIST_TOOLS, buildRegistry, toolKey, type RegisteredTool } from './tool-registry.js'
import { errorOf, hasValue, reasonOf, resultValue } from './tool-result.js'
import { deviceError, deviceErrorText } from '../errors.js'

/** What the result of a program is that ends with an error. */
export type FailingPrograms = 'failure' | 'success'

/** How one command is run. */
export interface CallControl {
  signal: AbortSignal
  /** What a program that ends with an error gives: existing servers know it as a success with its exit code. Default `failure`. */
  failingPrograms?: FailingPrograms | undefined
  onProgress?: ((progress: Progress) => void) | undefined
}

/** The set of tools that one agent, process and root sees on a device. */
export class Computer {
  /** `agent::process::root`. */
  readonly name: string
  readonly #servers: readonly MCPServer[]
  readonly #clock: Clock
  readonly #gate: Gate | null
  #registry = new Map<string, RegisteredTool>()
  #registered = ''
  /** Keys of tools that were found: their servers' place in the order is known, and nothing has to be waited for. */
  readonly #found = new Set<string>()

  /**
   * @param servers in the order of the configuration
   * @param gate what every call passes; null lets everything through
   */
  constructor(name: string, servers: readonly MCPServer[], clock: Clock, gate: Gate | null) {
    this.name = name
    this.#servers = servers
    this.#clock = clock
    this.#gate = gate
  }

  /** The tools of the servers that run, waiting for those that are starting. Both filters may be left out. */
  async listTools(filter: { toolType?: ToolType | null; namespace?: string | null } = {}): Promise<MCPToolInfo[]> {
    await Promise.all(this.#servers.map((server) => server.settled('first')))
    return [...this.#tools(this.#servers.length).values()].flatMap(({ info, server }) => {
      const wanted =
        server.state === 'ready' &&
        (filter.toolType ?? info.tool_type) === info.tool_type &&
        (filter.namespace ?? info.namespace) === info.namespace
      return wanted ? [info] : []
    })
  }

  /** Returns whether a command does no harm when it runs twice: its tool says so, and it is one of this device's own. */
  async isRepeatable(command: Command): Promise<boolean> {
    if (command.tool_name === LIST_TOOLS) return true
    const found = await this.#find(command).catch(() => null)
    if (found === null) return false
    if (found.server.trusted && found.info.annotations?.['idempotentHint'] === true) return true
    return this.#onlyReads(callOf(found, command))
  }

  /**
   * Makes sure that a command only reads: its tool says so, and the device trusts what it says.
   * @throws AipError `NOT_READ_ONLY`, or `TOOL_UNKNOWN`
   */
  async requireReadOnly(command: Command): Promise<void> {
    if (command.tool_name === LIST_TOOLS) return
    if (await this.#onlyReads(callOf(await this.#find(command), command))) return
    throw deviceError('NOT_READ_ONLY', { tool: command.tool_name })
  }

  /**
   * Decides whether a command may run, asking where the device's policy says so.
   * @param signal ends the wait for an answer
   * @param waiting called when permission is asked for
   * @returns null where there is nothing to decide: the list of tools, and tools that do not exist
   */
  async authorise(command: Command, origin: CallOrigin, signal: AbortSignal, waiting: () => void): Promise<Passage | null> {
    if (this.#gate === null || command.tool_name === LIST_TOOLS) return null
    const found = await this.#find(command).catch(() => null)
    if (found === null) return null
    return this.#gate.pass(callOf(found, command), origin, signal, waiting)
  }

  /** Runs one command. Whatever happens becomes its result. */
  async run(command: Command, control: CallControl): Promise<Result> {
    const result: Result = { status: 'failure', error: null, result: null, namespace: null, call_id: command.call_id }
    // Ends the call at its server too when this end stops waiting.
    const given = new AbortController()
    const signal = AbortSignal.any([control.signal, given.signal])
    const { tool_name: tool } = command
    try {
      const limits = { clock: this.#clock, ms: LIMITS.toolTime, operation: tool, signal: control.signal }
      await withTimeLimit(this.#perform(command, { ...control, signal }, result), limits)
    } catch (error) {
      result.status = 'failure'
      result.error = failureText(tool, error)
      given.abort()
    }
    return { ...result }
  }

  async #onlyReads(call: ToolCall): Promise<boolean> {
    return this.#gate === null ? call.trusted && call.readOnly : this.#gate.onlyReads(call)
  }

  async #perform(command: Command, control: CallControl, result: Result): Promise<void> {
    if (command.tool_name === LIST_TOOLS) {
      result.namespace = this.#servers[0]?.name ?? null
      result.result = await this.listTools(listFilter(command.parameters))
      result.status = 'success'
      return
    }
    const { server, tool } = await this.#find(command)
    result.namespace = server.name
    const answer = await server.callTool(tool, command.parameters ?? {}, control)
    if (answer.isError === true) {
      const asSuccess = control.failingPrograms === 'success'
      // Of the tools of this device only a program that ended with an error leaves a value.
      const isProgram = server.builtIn && hasValue(answer)
      if (hasValue(answer) && (isProgram || !asSuccess)) result.result = resultValue(answer, tool.outputSchema)
      if (isProgram && asSuccess) {
        result.status = 'success'
        return
      }
      result.error = clip(errorOf(answer))
      return
    }
    result.result = resultValue(answer, tool.outputSchema)
    result.status = 'success'
  }

  /**
   * Finds a tool; without a type an action is looked for first. It waits only for the first start of servers that could give the name to
   * another tool: those before the one that has it.
   * @throws AipError `TOOL_UNKNOWN`, naming servers that do not run
   */
  async #find({ tool_type: type, tool_name: name }: Command): Promise<RegisteredTool> {
    const keys = (type === null ? (['action', 'data_collection'] as const) : [type]).map((each) => toolKey(each, name))
    const waits = this.#servers.some((server) => server.state === 'starting') && !keys.some((key) => this.#found.has(key))
    for (let count = waits ? 1 : this.#servers.length; count <= this.#servers.length; count += 1) {
      if (waits) await this.#servers[count - 1]?.settled('first')
      const known = this.#tools(count)
      // A data-collection tool gives way to an action of a later server when the type was left open.
      const wanted = count < this.#servers.length ? keys.slice(0, 1) : keys
      const key = wanted.find((each) => known.has(each))
      const found = key === undefined ? undefined : known.get(key)
      if (key === undefined || found === undefined) continue
      if (found.server.state === 'ready') this.#found.add(key)
      return found
    }
    const down = this.#servers.filter((server) => server.state !== 'ready')
    const note = down.map((server) => ` (MCP server '${server.name}' is not running: ${server.lastError ?? server.state})`)
    const meant = closestName(
      name,
      [...this.#tools(this.#servers.length).values()].map(({ info }) => info.tool_name),
    )
    const hint = meant === null ? '' : `; did you mean '${meant}'?`
    throw aipError('TOOL_UNKNOWN', { key: keys[0] ?? name, computer: this.name + note.join('') + hint })
  }

  /** The registry of the first `count` servers; built again only when one of them has changed. */
  #tools(count: number): Map<string, RegisteredTool> {
    const servers = this.#servers.slice(0, count)
    const state = servers.map((server) => server.revision).join(' ')
    if (state !== this.#registered) {
      this.#registry = buildRegistry(servers)
      this.#registered = state
    }
    return this.#registry
  }
}

/** Describes a call for the policy. */
function callOf({ server, tool, info }: RegisteredTool, { parameters }: Command): ToolCall {
  return {
    tool: tool.name,
    toolType: info.tool_type,
    server: server.name,
    builtIn: server.builtIn,
    trusted: server.trusted,
    readOnly: info.annotations?.['readOnlyHint'] === true,
    args: parameters ?? {},
  }
}

function listFilter(parameters: Command['parameters']): { toolType: ToolType | null; namespace: string | null } {
  const type = parameters?.['tool_type'] ?? null
  const namespace = parameters?.['namespace'] ?? null
  const known = ToolType.nullable().safeParse(type)
  if (!known.success) throw aipError('INVALID_INPUT', { detail: `tool_type must be 'action' or 'data_collection'` })
  if (namespace !== null && typeof namespace !== 'string')
    throw aipError('INVALID_INPUT', { detail: 'namespace must be a string' })
  return { toolType: known.data, namespace }
}

/** An error of the catalogue says enough by itself; others come from a server or from the SDK. */
function failureText(tool: string, error: unknown): string {
  if (!(error instanceof AipError)) return deviceErrorText('TOOL_FAILED', { tool, detail: clip(reasonOf(error)) })
  return isAipError(error, 'TIMEOUT') ? deviceErrorText('TOOL_TIMEOUT', { tool, seconds: LIMITS.toolTime / 1000 }) : error.message
}
