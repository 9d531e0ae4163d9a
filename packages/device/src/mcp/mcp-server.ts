import type { CallToolResult, Tool } from '@modelcontextprotocol/client'
import {
  backoff,
  messageOf,
  sleep,
  withTimeLimit,
  type Clock,
  type Logger,
  type McpServerStatus,
  type ToolType,
} from '@orrery/aip'
import type { Connection, Connector, ToolCallOptions } from './connection.js'
import { DEVICE_LIMITS } from '../limits.js'
import { deviceError } from '../errors.js'

/** Waits between two starts of a server that dies. */
const RESTART_WAIT = { firstMs: DEVICE_LIMITS.mcpFirstRestart, longestMs: DEVICE_LIMITS.mcpLongestRestart }

/** `failed` servers are started again after a wait, `stopped` ones only by {@link MCPServer.start}. */
export type MCPServerState = McpServerStatus['state']

/** What a server is. */
export interface ServerSpec {
  /** The namespace of its tools. */
  name: string
  toolType: ToolType
  /** Whether it is restarted when a session ends. */
  reset: boolean
  /** Whether the annotations of its tools (read-only, idempotent) count. */
  trusted: boolean
  /** Whether it comes with the device. */
  builtIn?: boolean
  /** Tools that it offers and that this device does not pass on. */
  hiddenTools?: ReadonlySet<string> | undefined
  connector: Connector
}

/** What a {@link MCPServer} is built from. */
export interface MCPServerOptions extends ServerSpec {
  /** Called when its state, its tools or its last error have changed. */
  onChange?: (() => void) | undefined
  clock: Clock
  logger: Logger
}

/** One MCP server and its one long-lived connection, made again whenever it ends. */
export class MCPServer {
  readonly name: string
  readonly toolType: ToolType
  readonly trusted: boolean
  readonly builtIn: boolean
  /** Why the server is not ready, or why it last was not. */
  lastError: string | null = null
  readonly #options: MCPServerOptions
  #state: MCPServerState = 'stopped'
  #tools: readonly Tool[] = []
  /** With those that are not passed on. */
  #allTools: readonly Tool[] = []
  #revision = 0
  #connection: Connection | null = null
  #life: { stop: AbortController; ended: Promise<void> } | null = null
  /** Calls that wait for their answer. */
  readonly #calls = new Set<Promise<CallToolResult>>()
  #settled = Promise.withResolvers<void>()
  /** Settles when the first start has come to an end, or has taken too long to be waited for. */
  #firstStart = Promise.withResolvers<void>()
  /** Has the connection made again although the server is well. */
  #renewal = Promise.withResolvers<void>()
  #renewing = false
  /** What is wrong with its tools, one line each. */
  readonly #flaws = new Set<string>()

  constructor(options: MCPServerOptions) {
    this.name = options.name
    this.toolType = options.toolType
    this.trusted = options.trusted
    this.builtIn = options.builtIn ?? false
    this.#options = options
  }

  get state(): MCPServerState {
    return this.#state
  }

  /** The tools that it offers, or offered when it last was ready. */
  get tools(): readonly Tool[] {
    return this.#tools
  }

  /** A human-readable status. */
  get status(): McpServerStatus {
    const error = this.#state === 'ready' || this.lastError === null ? null : this.lastError.slice(0, DEVICE_LIMITS.mcpErrorShown)
    return { name: this.name, state: this.#state, tools: this.#tools.length, error }
  }

  /** What is wrong with its tools and is left out, one line each. */
  get flaws(): readonly string[] {
    return [...this.#flaws]
  }

  /** Changes whenever {@link tools} or {@link state} does. */
  get revision(): number {
    return this.#revision
  }

  /** Starts it and keeps it running; does nothing when it runs, or when a {@link stop} has not finished yet. */
  start(): void {
    if (this.#life !== null) return
    const stop = new AbortController()
    const firstStart = Promise.withResolvers<void>()
    this.#firstStart = firstStart
    this.#enter('starting')
    this.#life = { stop, ended: this.#keepRunning(stop.signal) }
    this.#options.clock.after(DEVICE_LIMITS.mcpCallWait, firstStart.resolve)
  }

  /** Ends it; calls that are running fail. Settles when it has ended. */
  async stop(): Promise<void> {
    const life = this.#life
    if (life === null) return
    life.stop.abort()
    await this.#connection?.close()
    await life.ended
    if (this.#life !== life) return
    this.#life = null
    this.#enter('stopped')
  }

  /** Restarts it if it was configured so. Does not wait for the start. */
  async reset(): Promise<void> {
    if (!this.#options.reset || this.#life === null) return
    await this.stop()
    this.start()
  }

  /**
   * Waits until the start has come to an end, good or bad, for at most 30 s.
   * @param which with `first` a restart is not waited for, and the 30 s count from the beginning: a sick server must not slow down others
   */
  async settled(which: 'any' | 'first' = 'any'): Promise<void> {
    if (this.#state !== 'starting') return
    if (which === 'first') return this.#firstStart.promise
    const done = new AbortController()
    await Promise.race([this.#settled.promise, sleep(this.#options.clock, DEVICE_LIMITS.mcpCallWait, done.signal)])
    done.abort()
  }

  /**
   * Calls a tool, waiting for a server that is starting. A call that was refused because the server has forgotten its session has not run: it is
   * made once more in a new session.
   * @throws AipError `MCP_SERVER_FAILED` if it does not run or dies meanwhile; otherwise the SDK's error
   */
  async callTool(tool: Tool, parameters: Record<string, unknown>, options: ToolCallOptions): Promise<CallToolResult> {
    const connection = await this.#ready()
    try {
      return await this.#call(connection, tool, parameters, options)
    } catch (error) {
      if (!connection.isSessionLost(error) || options.signal.aborted) throw this.#errorOf(error, connection)
    }
    if (this.#connection === connection) this.#renew()
    const renewed = await this.#ready()
    try {
      return await this.#call(renewed, tool, parameters, options)
    } catch (error) {
      throw this.#errorOf(error, renewed)
    }
  }

  async #call(
    connection: Connection,
    tool: Tool,
    parameters: Record<string, unknown>,
    options: ToolCallOptions,
  ): Promise<CallToolResult> {
    const call = connection.callTool(tool, parameters, options)
    this.#calls.add(call)
    try {
      return await call
    } finally {
      this.#calls.delete(call)
    }
  }

  async #ready(): Promise<Connection> {
    await this.settled()
    const connection = this.#connection
    if (this.#state !== 'ready' || connection === null) throw this.#failure(this.lastError ?? this.#state)
    return connection
  }

  /** Makes the connection again at once; the old one ends when its other calls have been answered. */
  #renew(): void {
    this.#connection = null
    this.#renewing = true
    this.#enter('starting')
    this.#renewal.resolve()
  }

  #errorOf(error: unknown, connection: Connection): unknown {
    return connection.ended === null ? error : this.#failure(connection.ended)
  }

  async #keepRunning(signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#options
    let failures = 0
    while (!signal.aborted) {
      const startedAt = clock.now()
      const reason = await this.#runOnce(signal)
      this.#connection = null
      if (stopped(signal)) return
      if (this.#renewing) {
        this.#renewing = false
        continue
      }
      this.lastError = reason
      this.#enter('failed')
      failures = clock.now() - startedAt >= DEVICE_LIMITS.mcpWell ? 1 : failures + 1
      const wait = backoff(failures, RESTART_WAIT)
      logger.warn(`[MCP] Server ${this.name} is not running, next start in ${wait / 1000}s: ${reason}`)
      await sleep(clock, wait, signal)
      if (!stopped(signal)) this.#enter('starting')
    }
  }

  /** One life of the connection. Gives the reason of its end. */
  async #runOnce(signal: AbortSignal): Promise<string> {
    try {
      const connection = await this.#options.connector({
        signal,
        onToolsChanged: () => void this.#refresh(),
        onFlaw: (flaw) => this.#note(flaw),
      })
      this.#connection = connection
      if (signal.aborted) await connection.close()
      this.#setTools(await this.#listTools(connection, DEVICE_LIMITS.mcpCallWait))
      this.#enter('ready')
      this.#options.logger.info(`[MCP] Server ${this.name} is ready with ${this.#tools.length} tools`)
      return await this.#watchOver(connection)
    } catch (error) {
      await this.#connection?.close()
      return messageOf(error)
    }
  }

  /** Waits for the end of the connection, and ends it if the server stops answering. */
  async #watchOver(connection: Connection): Promise<string> {
    const over = new AbortController()
    this.#renewal = Promise.withResolvers()
    try {
      const renewal = this.#renewal.promise.then(() => 'its session was lost')
      return await Promise.race([connection.closed, renewal, this.#probe(connection, over.signal)])
    } finally {
      over.abort()
      if (this.#renewing) void Promise.allSettled(this.#calls).then(() => connection.close())
      else if (connection.ended === null) await connection.close()
    }
  }

  /** Asks for the tools from time to time. Settles with what is wrong. */
  async #probe(connection: Connection, signal: AbortSignal): Promise<string> {
    // What runs in this process cannot hang alone.
    if (this.builtIn) return connection.closed
    for (;;) {
      await sleep(this.#options.clock, DEVICE_LIMITS.mcpProbing, signal)
      if (signal.aborted) return connection.closed
      // A server that does one thing at a time cannot answer while a call runs; the call has its own limit.
      if (this.#calls.size > 0) continue
      try {
        this.#changeTools(await this.#listTools(connection, DEVICE_LIMITS.mcpProbe))
      } catch (error) {
        if (this.#calls.size === 0) return `it no longer lists its tools: ${messageOf(error)}`
      }
    }
  }

  /** The server says that its tools have changed. If they cannot be listed now, the next probe says why. */
  async #refresh(): Promise<void> {
    const connection = this.#connection
    if (connection === null) return
    try {
      const tools = await this.#listTools(connection, DEVICE_LIMITS.mcpProbe)
      if (this.#connection === connection) this.#changeTools(tools)
    } catch (error) {
      this.#options.logger.debug(`[MCP] The tools of ${this.name} could not be listed: ${messageOf(error)}`)
    }
  }

  /** @throws AipError `TIMEOUT`, or the SDK's error */
  async #listTools(connection: Connection, ms: number): Promise<readonly Tool[]> {
    const given = new AbortController()
    try {
      const limits = { clock: this.#options.clock, ms, operation: 'tools/list' }
      return await withTimeLimit(connection.listTools(given.signal), limits)
    } catch (error) {
      given.abort()
      throw error
    }
  }

  #note(flaw: string): void {
    if (this.#flaws.has(flaw) || this.#flaws.size >= DEVICE_LIMITS.mcpFlaws) return
    this.#flaws.add(flaw)
    this.#options.logger.warn(`[MCP] Server ${this.name}: ${flaw}`)
  }

  #changeTools(tools: readonly Tool[]): void {
    if (JSON.stringify(tools) !== JSON.stringify(this.#allTools)) this.#setTools(tools)
  }

  #setTools(tools: readonly Tool[]): void {
    this.#allTools = tools
    this.#tools = tools.filter(({ name }) => this.#options.hiddenTools?.has(name) !== true)
    this.#revision += 1
    this.#options.onChange?.()
  }

  #enter(state: MCPServerState): void {
    this.#state = state
    this.#revision += 1
    if (state === 'starting') this.#settled = Promise.withResolvers()
    else {
      this.#settled.resolve()
      this.#firstStart.resolve()
    }
    this.#options.onChange?.()
  }

  #failure(detail: string): Error {
    return deviceError('MCP_SERVER_FAILED', { name: this.name, detail })
  }
}

/** Asks again: what was true before an `await` need not be true after it. */
function stopped(signal: AbortSignal): boolean {
  return signal.aborted
}
