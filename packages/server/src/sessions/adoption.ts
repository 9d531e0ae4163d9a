import { LIMITS, type Clock } from '@orrery/aip'
import { serverError } from '../errors.js'

/** A task sent to a device, which adopts it by answering with its own task of the same name. */
export class Adoption {
  #adopt: (() => void) | null = null

  /** Whether the device was sent the task and has not adopted it yet. */
  get isAwaited(): boolean {
    return this.#adopt !== null
  }

  /** Notes that the device has adopted the task. */
  adopt(): void {
    this.#adopt?.()
  }

  /**
   * Sends the task and waits until the device adopts it.
   * @throws AipError `DISPATCH_UNANSWERED` after 30 s, the reason of the signal when it aborts, and what sending throws
   */
  wait(send: () => Promise<void>, clock: Clock, signal: AbortSignal): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      const timer = clock.after(LIMITS.dispatchTime, () =>
        reject(serverError('DISPATCH_UNANSWERED', { seconds: LIMITS.dispatchTime / 1000 })),
      )
      this.#adopt = () => {
        timer.cancel()
        resolve()
      }
      signal.addEventListener('abort', () => {
        timer.cancel()
        reject(signal.reason)
      })
      send().catch(reject)
    }).finally(() => {
      this.#adopt = null
    })
  }
}
