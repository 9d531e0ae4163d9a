import { aipError, commandOf, silentLogger, type CommandLike, type Logger } from '@orrery/aip'
import { detectPlatform } from '../info/device-info-provider.js'
import type { MCPServerManager } from '../mcp/mcp-server-manager.js'
import type { ActionResult } from './action-result.js'
import { CommandRouter, type BatchControl } from './command-router.js'
import type { ComputerManager } from './computer-manager.js'
import { required } from './required.js'
import { TaskLock } from './task-lock.js'

/** What a {@link UFOClient} is built from. */
export interface UFOClientOptions {
  mcpServerManager: MCPServerManager
  computerManager: ComputerManager
  /** Default `client_001`. */
  clientId?: string
  /** Default: the operating system. */
  platform?: string
  logger?: Logger
}

/** What {@link UFOClient.executeStep} reads of a message. */
export interface Step {
  agent_name: string | null
  process_name: string | null
  root_name: string | null
  actions: readonly CommandLike[] | null
}

/** Runs what the server asks for. Knows nothing of connections, and keeps nothing beyond a session. */
export class UFOClient {
  readonly clientId: string
  readonly platform: string
  readonly commandRouter: CommandRouter
  /** Held while the state of the client changes or commands run. */
  readonly taskLock = new TaskLock()
  readonly mcpServerManager: MCPServerManager
  readonly computerManager: ComputerManager
  readonly #logger: Logger
  #sessionId: string | null = null
  #agentName: string | null = null
  #processName: string | null = null
  #rootName: string | null = null

  /** @throws AipError `INVALID_INPUT` without one of the managers */
  constructor(options: UFOClientOptions) {
    this.mcpServerManager = required('mcpServerManager', options.mcpServerManager)
    this.computerManager = required('computerManager', options.computerManager)
    this.clientId = options.clientId ?? 'client_001'
    this.platform = options.platform ?? detectPlatform()
    this.#logger = options.logger ?? silentLogger
    this.commandRouter = new CommandRouter(options.computerManager)
    this.#logger.info(`UFO Client initialized for platform: ${this.platform}`)
  }

  get sessionId(): string | null {
    return this.#sessionId
  }

  /** @throws AipError `INVALID_INPUT` if it is neither a string nor `null`; so do the other three */
  set sessionId(value: string | null) {
    this.#sessionId = this.#accept('Session ID', value)
  }

  get agentName(): string | null {
    return this.#agentName
  }

  set agentName(value: string | null) {
    this.#agentName = this.#accept('Agent name', value)
  }

  get processName(): string | null {
    return this.#processName
  }

  set processName(value: string | null) {
    this.#processName = this.#accept('Process name', value)
  }

  get rootName(): string | null {
    return this.#rootName
  }

  set rootName(value: string | null) {
    this.#rootName = this.#accept('Root name', value)
  }

  /** Notes whom a batch is for and runs it. The caller holds {@link taskLock}. */
  executeStep(message: Step, control: BatchControl = {}): Promise<ActionResult[]> {
    this.agentName = message.agent_name
    this.processName = message.process_name
    this.rootName = message.root_name
    return this.executeActions(message.actions, control)
  }

  /** Runs commands that only read, without {@link taskLock}: the state of the session is left alone. */
  executeReads({ agent_name, process_name, root_name, actions }: Step, control: BatchControl = {}): Promise<ActionResult[]> {
    const addressee = { agentName: agent_name, processName: process_name, rootName: root_name }
    return this.commandRouter.execute(addressee, (actions ?? []).map(commandOf), { ...control, readsOnly: true })
  }

  /** Runs commands; one result each, in order. The caller holds {@link taskLock}. */
  async executeActions(commands: readonly CommandLike[] | null, control: BatchControl = {}): Promise<ActionResult[]> {
    if (commands === null || commands.length === 0) return []
    this.#logger.info(`Executing ${commands.length} actions in total`)
    const addressee = { agentName: this.#agentName, processName: this.#processName, rootName: this.#rootName }
    return this.commandRouter.execute(addressee, commands.map(commandOf), control)
  }

  /** Forgets the session and its computers, and restarts the MCP servers that are configured so. The caller holds {@link taskLock}. */
  async reset(): Promise<void> {
    this.#sessionId = this.#agentName = this.#processName = this.#rootName = null
    this.computerManager.reset()
    await this.mcpServerManager.reset()
    this.#logger.info('Client state has been reset.')
  }

  #accept(name: string, value: unknown): string | null {
    if (value !== null && typeof value !== 'string') {
      throw aipError('INVALID_INPUT', { detail: `${name} must be a string or None.` })
    }
    this.#logger.info(`${name} set to: ${value}`)
    return value
  }
}
