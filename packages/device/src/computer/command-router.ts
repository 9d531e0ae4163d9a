import { errorText, messageOf, type Command, type Result } from '@orrery/aip'
import type { Progress } from '@modelcontextprotocol/client'
import { ActionResult } from './action-result.js'
import type { FailingPrograms } from './computer.js'
import type { Addressee, ComputerManager } from './computer-manager.js'
import { deviceErrorText } from '../errors.js'

/** How a batch is run. */
export interface BatchControl {
  /** After a failure the rest is skipped. Default true. */
  earlyExit?: boolean
  /** Refuse what is not a trusted read-only tool. Default false. */
  readsOnly?: boolean
  /** What a program that ends with an error gives. Default `failure`. */
  failingPrograms?: FailingPrograms
  /** Ends the whole batch. */
  signal?: AbortSignal
  /** The signal that ends one command. */
  callSignal?: (command: Command) => AbortSignal
  /** The session of the batch. */
  sessionId?: string | null
  /** Who asked for it and for what, as the server says. */
  requestedBy?: string | null
  task?: string | null
  /** What is known of a command already; it is taken instead of running it. @param repeatable whether it may run twice */
  known?: ((command: Command, repeatable: () => Promise<boolean>) => Promise<Result | null>) | undefined
  /** Called before a command that is allowed runs. */
  starting?: ((command: Command) => Promise<void>) | undefined
  /** Called with the result of a command that has run or was denied. */
  after?: ((command: Command, result: Result) => Promise<void>) | undefined
  /** The progress of a command. */
  onProgress?: ((command: Command, progress: Progress) => void) | undefined
}

/** Takes a batch to its computer. */
export class CommandRouter {
  readonly #computers: ComputerManager
  /** Commands that run now. */
  readonly #running = new Set<Promise<Result>>()

  constructor(computers: ComputerManager) {
    this.#computers = computers
  }

  /**
   * Runs commands one after the other.
   * @returns one result per command, in the same order, whatever fails
   */
  async execute(addressee: Addressee, commands: readonly Command[], control: BatchControl = {}): Promise<ActionResult[]> {
    const { earlyExit = true } = control
    const results: ActionResult[] = []
    let failed = false
    for (const command of commands) {
      const result: Result =
        failed && earlyExit && control.signal?.aborted !== true
          ? outcome(command, { status: 'skipped', error: deviceErrorText('EARLIER_FAILURE') })
          : await this.#track(this.#one(addressee, command, control))
      failed ||= result.status === 'failure'
      results.push(new ActionResult(command, result))
    }
    return results
  }

  /** Settles when the commands that run now have ended. */
  async quiet(): Promise<void> {
    await Promise.allSettled(this.#running)
  }

  async #track(running: Promise<Result>): Promise<Result> {
    this.#running.add(running)
    try {
      return await running
    } finally {
      this.#running.delete(running)
    }
  }

  async #one(addressee: Addressee, command: Command, control: BatchControl): Promise<Result> {
    const { onProgress } = control
    const signal = control.callSignal?.(command) ?? control.signal ?? new AbortController().signal
    if (signal.aborted) return outcome(command, { status: 'failure', error: errorText('TOOL_CANCELLED') })
    if (command.tool_name === '') return outcome(command, { status: 'success', error: '', result: 'No action taken.' })
    try {
      const computer = this.#computers.getOrCreate(addressee)
      if (control.readsOnly === true) await computer.requireReadOnly(command)
      const known = await control.known?.(command, () => computer.isRepeatable(command))
      if (known) return known
      const { sessionId = null, requestedBy, task } = control
      const origin = { sessionId, callId: command.call_id, agent: addressee.agentName, requestedBy, task }
      const passage = await computer.authorise(command, origin, signal, () =>
        onProgress?.(command, { progress: 0, message: 'waiting for permission at the device' }),
      )
      // From now on a caller that leaves no longer cancels it.
      if (passage?.asked === true && passage.denied === null) onProgress?.(command, { progress: 0, message: 'approved' })
      let result = outcome(command, { status: 'failure', error: passage?.denied?.message ?? null })
      try {
        if (!passage?.denied) {
          await control.starting?.(command)
          result = await computer.run(command, {
            signal,
            failingPrograms: control.failingPrograms,
            onProgress: onProgress && ((progress) => onProgress(command, progress)),
          })
        }
        await control.after?.(command, result)
        return result
      } finally {
        passage?.close(result)
      }
    } catch (error) {
      return outcome(command, { status: 'failure', error: messageOf(error) })
    }
  }
}

/** A result of a command that did not reach a tool. */
export function outcome(command: Command, fields: Pick<Result, 'status' | 'error'> & { result?: unknown }): Result {
  // In the order of the wire.
  return { status: fields.status, error: fields.error, result: fields.result ?? null, namespace: null, call_id: command.call_id }
}
