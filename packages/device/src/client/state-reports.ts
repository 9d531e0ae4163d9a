import { messageOf, type Clock, type DevicePush, type Logger, type Timer } from '@orrery/aip'
import { DEVICE_LIMITS } from '../limits.js'

type Send = (state: DevicePush) => Promise<void>

/** Pushes the MCP servers and tools of this device to the current server: at once when it is reached, and after changes. */
export class StateReports {
  readonly #read: () => DevicePush
  readonly #clock: Clock
  readonly #logger: Logger
  #send: Send | null = null
  /** What the server knows. */
  #sent = ''
  #timer: Timer | null = null

  constructor(read: () => DevicePush, clock: Clock, logger: Logger) {
    this.#read = read
    this.#clock = clock
    this.#logger = logger
  }

  /** Sets how reports reach the server from now on; null where there is no server, or one that does not know them. */
  reach(send: Send | null): void {
    this.#send = send
    this.#sent = ''
    this.#timer?.cancel()
    this.#timer = null
    if (send !== null) this.#report()
  }

  /** Reports soon, because something may have changed. */
  changed(): void {
    if (this.#send === null) return
    this.#timer ??= this.#clock.after(DEVICE_LIMITS.stateReports, () => {
      this.#timer = null
      this.#report()
    })
  }

  #report(): void {
    const state = this.#read()
    const text = JSON.stringify(state)
    if (text === this.#sent) return
    this.#sent = text
    this.#send?.(state).catch((error: unknown) =>
      this.#logger.debug(`[WS] The state of the MCP servers was not sent: ${messageOf(error)}`),
    )
  }
}
