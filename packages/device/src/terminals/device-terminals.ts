import {
  AipError,
  LIMITS,
  aipError,
  errorText,
  isAipError,
  logError,
  messageOf,
  TerminalWanted,
  type Clock,
  type Logger,
} from '@orrery/aip'
import type { Gate, Passage } from '../policy/gate.js'
import type { ToolCall } from '../policy/policy.js'
import { ProcessGroup } from '../process/process-group.js'
import { readyCommand, type CommandContext } from '../tools/shell/command-request.js'
import { TERMINAL_TOOL, terminalRequest } from '../tools/shell/terminal-call.js'
import { inTerminal } from '../tools/shell/terminal.js'
import type { TransferDialer } from '../transfers/transfer-dialer.js'
import { deviceError } from '../errors.js'
import { TerminalConnection } from './terminal-connection.js'

/** What a server asks for. */
interface OpenTerminal {
  /** Under which the server waits for the connection. */
  id: string
  /** Who asks, as the server says. */
  requestedBy: string | null
  /** Null if it makes no sense. */
  wanted: TerminalWanted | null
}

/** What {@link DeviceTerminals} are built from. */
export interface DeviceTerminalsOptions {
  gate: Gate
  transfers: TransferDialer
  /** What commands run with, now; null while the owner has them switched off. */
  context: () => CommandContext | null
  clock: Clock
  logger: Logger
}

/** The interactive terminals of a device. Each has a connection of its own; whatever ends that ends the program and all that it has started. */
export class DeviceTerminals {
  readonly #options: DeviceTerminalsOptions
  readonly #open = new Map<AbortController, Promise<void>>()

  constructor(options: DeviceTerminalsOptions) {
    this.#options = options
  }

  /**
   * Opens a terminal, if the policy allows it, and runs it until its end. Never throws: why there is none is reported over its connection.
   * @param id under which the server waits for the connection
   * @param requestedBy who asks, as the server says
   * @param wanted a `TerminalWanted`, as it arrived
   */
  async open(id: string, requestedBy: string | null, wanted: unknown): Promise<void> {
    const end = new AbortController()
    const asked = { id, requestedBy, wanted: TerminalWanted.safeParse(wanted).data ?? null }
    const running = this.#run(asked, end).catch((error: unknown) => logError(this.#options.logger, 'A terminal failed', error))
    this.#open.set(end, running)
    await running
    this.#open.delete(end)
  }

  /** Ends all. Settles when they have ended. */
  async close(): Promise<void> {
    for (const end of this.#open.keys()) end.abort()
    await Promise.all(this.#open.values())
  }

  async #run({ id, requestedBy, wanted }: OpenTerminal, end: AbortController): Promise<void> {
    const transport = await this.#options.transfers.connect(id, end.signal)
    const connection = new TerminalConnection(transport)
    void transport.closed.then(() => end.abort())
    const leave = (): void => transport.terminate()
    end.signal.addEventListener('abort', leave, { once: true })
    try {
      if (this.#open.size > LIMITS.terminalsOfDevice) throw aipError('TOO_MANY_TERMINALS', { limit: LIMITS.terminalsOfDevice })
      if (wanted === null) throw aipError('INVALID_INPUT', { detail: 'The server asks for a terminal without a size' })
      this.#context()
      await this.#pass(wanted, requestedBy, connection, end.signal)
    } catch (error) {
      const code = error instanceof AipError ? error.code : 'TOOL_FAILED'
      await connection.report({ type: 'refused', code, detail: messageOf(error) }).catch(() => {})
    } finally {
      end.signal.removeEventListener('abort', leave)
      await transport.close(1000)
    }
  }

  async #pass(
    wanted: TerminalWanted,
    requestedBy: string | null,
    connection: TerminalConnection,
    signal: AbortSignal,
  ): Promise<void> {
    const { gate } = this.#options
    const origin = {
      sessionId: null,
      callId: null,
      agent: null,
      requestedBy,
      task: 'an interactive terminal',
    }
    const passage = await gate.pass(
      callOf(wanted),
      origin,
      signal,
      () => void connection.report({ type: 'waiting' }).catch(() => {}),
    )
    let failure: string | null = passage.denied?.message ?? null
    try {
      if (passage.denied !== null) throw passage.denied
      await this.#start(wanted, connection, signal, passage)
    } catch (error) {
      failure = messageOf(error)
      if (!isAipError(error, 'CONNECTION_CLOSED')) throw error
    } finally {
      passage.close({ status: failure === null ? 'success' : 'failure', error: failure, result: null })
    }
  }

  /** The owner may have switched commands off since the registration, or since the question. */
  #context(): CommandContext {
    const context = this.#options.context()
    if (context === null) throw deviceError('NOT_SUPPORTED', { what: 'A terminal', detail: 'its shell tools are off' })
    return context
  }

  async #start(wanted: TerminalWanted, connection: TerminalConnection, signal: AbortSignal, passage: Passage): Promise<void> {
    const { clock } = this.#options
    const ready = await readyCommand(this.#context(), terminalRequest(argumentsOf(wanted)))
    const env = { ...ready.env, TERM: wanted.term }
    const { file, args, cwd, env: complete } = await inTerminal({ ...ready, env }, wanted)
    const group = new ProcessGroup(file, args, { cwd, env: complete, stdio: 'pipe' }, clock, {
      leadsSessions: true,
      endsDaemons: true,
    })
    await group.started
    passage.begun()
    const hangUp = (): void => {
      // What a terminal does when its line is cut; what does not listen is ended after that.
      group.kill('SIGHUP')
      void group.end()
    }
    signal.addEventListener('abort', hangUp, { once: true })
    if (signal.aborted) hangUp()
    try {
      await connection.serve(group)
      if (signal.aborted) throw new AipError('CONNECTION_CLOSED', errorText('CONNECTION_CLOSED'))
    } finally {
      signal.removeEventListener('abort', hangUp)
      await group.end()
    }
  }
}

function argumentsOf({ program, args, cwd }: TerminalWanted): { program?: string; args: string[]; cwd?: string } {
  return { ...(program === null ? {} : { program }), args, ...(cwd === null ? {} : { cwd }) }
}

/** A terminal as the policy judges it: like a call of a tool that comes with the device. */
function callOf(wanted: TerminalWanted): ToolCall {
  const args = argumentsOf(wanted)
  return { tool: TERMINAL_TOOL, toolType: 'action', server: 'shell', builtIn: true, trusted: true, readOnly: false, args }
}
