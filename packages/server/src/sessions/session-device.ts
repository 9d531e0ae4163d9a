import { agentNameFor, isAipError, type PushedTool } from '@orrery/aip'
import type { DeviceToolLists } from './device-tool-lists.js'
import type { Batch, DevicePeer, Peers } from './peers.js'
import { describeWork, type Task } from './task.js'
import { isServerError, serverError } from '../errors.js'

/** The device of one session, online or not. */
export class SessionDevice {
  readonly id: string
  readonly #peers: Peers
  readonly #platform: string | undefined
  readonly #toolLists: DeviceToolLists

  /** @param platform overrides the one that the device registered with */
  constructor(id: string, peers: Peers, platform: string | undefined, toolLists: DeviceToolLists) {
    this.id = id
    this.#peers = peers
    this.#toolLists = toolLists
    this.#platform = platform
  }

  get platform(): string {
    return this.#platform ?? this.#peers.device(this.id)?.platform ?? 'linux'
  }

  /** Its current connection; null if it is offline. What was sent over another one may have been lost. */
  get connection(): object | null {
    return this.#peers.device(this.id)?.connection ?? null
  }

  /** The agent name for batches that set none. */
  get agentName(): string {
    return agentNameFor(this.platform)
  }

  /** Whether it can return to its sessions and receive a batch twice: it keeps a journal, so nothing runs twice. */
  get canResume(): boolean {
    return this.#peers.canResume(this.id)
  }

  /** Whether it can run a session that only reads alongside a running one. */
  get runsBeside(): boolean {
    return this.#peers.device(this.id)?.features.has('concurrent') === true
  }

  /** Whether it is online and ends what runs for a session when it is asked to. */
  get cancels(): boolean {
    return this.#peers.device(this.id)?.features.has('cancel') === true
  }

  /** Whether it answers nothing to a command for a tool that it does not have, as existing devices do. */
  get isSilentAboutTools(): boolean {
    return this.#peers.device(this.id)?.features.size === 0
  }

  /** Returns its tools as it lists them when asked; null if it does not. */
  tools(): Promise<readonly PushedTool[] | null> {
    return this.#toolLists.of(this.id)
  }

  /** Returns the arguments that the server adds to calls of a tool. */
  addedArguments(toolName: string): readonly string[] {
    return this.#peers.addedArguments(this.id, toolName)
  }

  /**
   * Sends a batch. Does nothing if the device can resume and is away: it gets the batch when it returns.
   * @throws AipError if it is permanently offline, or cannot accept the batch
   */
  async send(batch: Batch): Promise<void> {
    try {
      await this.#online().sendCommands(batch)
    } catch (error) {
      if (!this.canResume || !isDisconnection(error)) throw error
    }
  }

  /** Asks the device to start a task itself. @throws AipError if it is offline */
  async assign({ sessionId, taskName, work }: Task): Promise<void> {
    await this.#online().sendTaskAssignment({ userRequest: describeWork(work), taskName, sessionId })
  }

  /** Asks it to stop what runs for a session, if it supports that. */
  cancel(sessionId: string, reason: string): void {
    const device = this.#peers.device(this.id)
    if (device?.features.has('cancel') === true) device.sendCancel({ sessionId, reason }).catch(() => {})
  }

  #online(): DevicePeer {
    const device = this.#peers.device(this.id)
    if (device === undefined) throw serverError('DEVICE_OFFLINE', { id: this.id })
    return device
  }
}

/** Returns whether a message was not sent because there is no connection: a device that can resume gets it when it returns. */
function isDisconnection(error: unknown): boolean {
  return isServerError(error, 'DEVICE_OFFLINE') || isAipError(error, 'NOT_CONNECTED', 'CONNECTION_CLOSED', 'SEND_FAILED')
}
