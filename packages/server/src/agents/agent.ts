import type { Command, Logger, MCPToolInfo, Result } from '@orrery/aip'
import type { ExecuteOptions } from '../sessions/command-dispatcher.js'
import type { Work } from '../sessions/task.js'

/** What an agent is given: the request, the device's tools, and the means to act. */
export interface AgentContext {
  readonly sessionId: string
  readonly taskName: string
  readonly deviceId: string
  /** Platform of the device: `linux`, `windows`, `darwin`, `mobile`, … */
  readonly platform: string
  readonly work: Work
  /** When the session first began to run, in milliseconds since the epoch; a restart does not change it. */
  readonly startedAt: number
  /** Aborted when the session is cancelled; the agent should end soon after, it is given 2 s. */
  readonly signal: AbortSignal
  readonly logger: Logger
  /**
   * Has the device run commands in order, recorded before they are sent.
   * @returns one result per command; a failure is a result, not an exception
   * @throws AipError when the session is cancelled
   */
  execute(commands: readonly Omit<Command, 'call_id'>[], options?: ExecuteOptions): Promise<Result[]>
  /**
   * The device's tools, as `list_tools` gives them, without the arguments that the server adds by itself.
   * @throws AipError when they cannot be listed
   */
  listTools(toolType?: 'action' | 'data_collection', options?: ExecuteOptions): Promise<MCPToolInfo[]>
  /** Runs `decide` and records what it gave, so that after a restart the recorded answer is taken instead. The value must survive JSON. */
  step<T>(name: string, decide: () => Promise<T>): Promise<T>
  /** What users have added to the request so far, oldest first; the same texts in the same order after a restart. */
  remarks(): readonly string[]
  /**
   * Asks the user, recorded; a recorded answer is taken after a restart.
   * @param ms milliseconds to wait @returns null if nobody answers in time @throws AipError when the session is cancelled
   */
  ask(question: string, ms: number): Promise<string | null>
  /** Tells whoever watches what is going on; it is not recorded. */
  report(message: string): void
  /** Waits. @param ms milliseconds @throws AipError when the session is cancelled meanwhile */
  sleep(ms: number): Promise<void>
}

/** How an agent ended its session. */
export interface AgentOutcome {
  status: 'completed' | 'failed'
  result: unknown
  /** Why it failed. */
  error?: string | null
}

/** What decides the next commands of a session. */
export interface Agent {
  readonly name: string
  /** Whether it hears remarks while it runs. Default: no. */
  readonly listens?: boolean
  /** Whether this agent can run such work. Of the server's agents the first that accepts runs it. */
  accepts(work: Work): boolean
  /** Runs a session to its end. An exception ends it as failed with the exception's text. */
  run(context: AgentContext): Promise<AgentOutcome>
}
