import { messageOf, type Clock, type Logger, type McpServerStatus, type Timer } from '@orrery/aip'
import { DEVICE_LIMITS } from '../limits.js'

/** Sends how the MCP servers are. */
type Send = (servers: readonly McpServerStatus[]) => Promise<void>

/** Tells the server of the moment how the MCP servers of this device are: at once when it is reached, and after changes. */
export class StateReports {
  readonly #read: () => readonly McpServerStatus[]
  readonly #clock: Clock
  readonly #logger: Logger
  #send: Send | null = null
  /** What the server knows. */
  #told = ''
  #timer: Timer | null = null

  constructor(read: () => readonly McpServerStatus[], clock: Clock, logger: Logger) {
    this.#read = read
    this.#clock = clock
    this.#logger = logger
  }

  /** Says how reports reach the server from now on; null where none can, or wants them. */
  reach(send: Send | null): void {
    this.#send = send
    this.#told = ''
    this.#timer?.cancel()
    this.#timer = null
    if (send !== null) this.#report()
  }

  /** Something may have changed. */
  changed(): void {
    if (this.#send === null) return
    this.#timer ??= this.#clock.after(DEVICE_LIMITS.stateReports, () => {
      this.#timer = null
      this.#report()
    })
  }

  #report(): void {
    const servers = this.#read()
    const text = JSON.stringify(servers)
    if (text === this.#told) return
    this.#told = text
    this.#send?.(servers).catch((error: unknown) =>
      this.#logger.debug(`[WS] The states of the MCP servers were not sent: ${messageOf(error)}`),
    )
  }
}
