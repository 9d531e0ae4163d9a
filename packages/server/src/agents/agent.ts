import type { CommandLike, Logger, MCPToolInfo, Result } from '@orrery/aip'
import type { Work } from '@orrery/aip/records'

/** Options of one batch. */
export interface ExecuteOptions {
  /** Default: the agent of the device's platform. */
  agentName?: string
  processName?: string
  rootName?: string
  /** What the batch does, in words; shown while it runs, not sent to the device. */
  label?: string
  /** Leaves large values as `EncodedValue`: for an agent that only passes them on. */
  encoded?: boolean
  /** Milliseconds until missing results become failures. Default: 6000 s. */
  timeoutMs?: number
}

/** Place-holders for the secrets of the server, which an agent puts into the arguments of commands. It never sees a secret itself. */
export interface SecretPlaceholders {
  /** Found in each place-holder, and nowhere else. */
  readonly mark: string
  /** Returns the place-holder for a secret; it must be a word of a text as it is. */
  of(name: string): string
}

/** A file on a device. */
export interface FilePlace {
  device: string
  /** As a target one that is empty or ends with a slash is a folder: the file keeps its name. */
  path: string
}

/** A file that is copied from one device to another. */
export interface FileCopy {
  from: FilePlace
  to: FilePlace
  /** Whether an existing file is replaced. */
  overwrite: boolean
}

/** What an agent works with: the request, the device's tools, and the means to act. */
export interface AgentContext {
  readonly sessionId: string
  readonly taskName: string
  readonly deviceId: string
  /** Platform of the device: `linux`, `windows`, `darwin`, `mobile`, … */
  readonly platform: string
  readonly work: Work
  /** The agent name for the device's platform; commands carry it unless they set another. */
  readonly agentName: string
  /** When the session first began to run, in milliseconds since the epoch; a restart does not change it. */
  readonly startedAt: number
  /** Aborted when the session is cancelled; the agent then has 2 s to end. */
  readonly signal: AbortSignal
  /** Aborted when the session is cancelled and the agent cleans up first: what runs ends soon, and nothing else is begun but that. */
  readonly stopping: AbortSignal
  readonly logger: Logger
  /** Secrets for the arguments of commands: their values are put in when a command is sent, and taken out of its results. */
  readonly secrets: SecretPlaceholders
  /**
   * Runs commands on the device, in order; they are recorded before they are sent.
   * @returns one result per command; a failure is a result, not an exception
   * @throws AipError when the session is cancelled
   */
  execute(commands: readonly CommandLike[], options?: ExecuteOptions): Promise<Result[]>
  /**
   * Returns the device's tools as `list_tools` lists them, without the arguments that the server adds itself.
   * @throws AipError when they cannot be listed
   */
  listTools(toolType?: 'action' | 'data_collection', options?: ExecuteOptions): Promise<MCPToolInfo[]>
  /**
   * Copies a file between two devices, one of which may be that of the session.
   * @param label what this does, in words
   * @returns device, path, bytes and checksum of the new file, in `result`; a failure is a result, not an exception
   * @throws AipError when the session is cancelled
   */
  copyFile(copy: FileCopy, label: string): Promise<Result>
  /** Runs `decide` and records its value, which is used instead after a restart. The value must survive JSON. */
  step<T>(name: string, decide: () => Promise<T>): Promise<T>
  /** Returns what users have added to the request so far, oldest first; the same texts in the same order after a restart. */
  remarks(): readonly string[]
  /**
   * Asks the user. Question and answer are recorded; after a restart the recorded answer is used.
   * @param ms milliseconds to wait @returns null without an answer in time @throws AipError when the session is cancelled
   */
  ask(question: string, ms: number): Promise<string | null>
  /** Reports progress to those who watch; it is not recorded. */
  report(message: string): void
  /** Waits; less long if the session is {@link stopping}. @param ms milliseconds @throws AipError when the session is cancelled meanwhile */
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
  /** Whether it uses the model of the server, for which the operator pays. Default: no. */
  readonly usesModel?: boolean
  /** Whether it has something to do when a session with this work is cancelled; it then has 5 minutes. Default: no. */
  cleansUp?(work: Work): boolean
  /** Returns whether this agent can run a work. The first of the server's agents that accepts it runs it. */
  accepts(work: Work): boolean
  /** Runs a session until it ends. An exception ends it as failed with the exception's text. */
  run(context: AgentContext): Promise<AgentOutcome>
}
