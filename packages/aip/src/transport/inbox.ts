import { aipError } from '../errors.js'

type Frame = string | Uint8Array

/** Frames that have arrived and nobody has taken yet. Asks its source to pause while too many wait. */
export class Inbox {
  readonly #highWater: number
  readonly #pause: (paused: boolean) => void
  readonly #frames: Frame[] = []
  #taken = 0
  #waiting: { resolve: (frame: Frame) => void; reject: (error: Error) => void } | null = null
  #ended = false

  /**
   * @param highWater number of waiting frames at which the source is paused
   * @param pause called with true to pause the source, with false to let it go on
   */
  constructor(highWater = 256, pause: (paused: boolean) => void = () => {}) {
    this.#highWater = highWater
    this.#pause = pause
  }

  put(frame: Frame): void {
    if (this.#waiting !== null) {
      const { resolve } = this.#waiting
      this.#waiting = null
      resolve(frame)
      return
    }
    this.#frames.push(frame)
    if (this.#frames.length - this.#taken === this.#highWater) this.#pause(true)
  }

  /** @throws AipError `CONNECTION_CLOSED` */
  take(): Promise<Frame> {
    const frame = this.#frames[this.#taken]
    if (frame !== undefined) {
      this.#taken += 1
      if (this.#frames.length - this.#taken === this.#highWater - 1) this.#pause(false)
      if (this.#taken === this.#frames.length) this.#taken = this.#frames.length = 0
      return Promise.resolve(frame)
    }
    if (this.#ended) return Promise.reject(aipError('CONNECTION_CLOSED'))
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
    })
  }

  /** No more frames come: whoever waits gets `CONNECTION_CLOSED`, frames that arrived before can still be taken. */
  end(): void {
    this.#ended = true
    this.#waiting?.reject(aipError('CONNECTION_CLOSED'))
    this.#waiting = null
  }
}
