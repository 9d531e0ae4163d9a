import type { Command, Logger, MCPToolInfo, Result } from '@orrery/aip'
import type { Work } from '@orrery/aip/records'

/** What may be set for one batch. */
export interface ExecuteOptions {
  /** Default: the agent of the device's platform. */
  agentName?: string
  processName?: string
  rootName?: string
  /** What the batch is for, in words; shown while it runs, not sent to the device. */
  label?: string
  /** Milliseconds until missing results become failures. Default: 6000 s. */
  timeoutMs?: number
}

/** What an agent is given: the request, the device's tools, and the means to act. */
export interface AgentContext {
  readonly sessionId: string
  readonly taskName: string
  readonly deviceId: string
  /** Platform of the device: `linux`, `windows`, `darwin`, `mobile`, … */
  readonly platform: string
  readonly work: Work
  /** The agent name of the device's platform; commands are sent with it unless they set another. */
  readonly agentName: string
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
