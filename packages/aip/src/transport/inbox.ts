import { aipError } from '../errors.js'
import { LIMITS } from '../limits.js'

type Frame = string | Uint8Array

/** Frames that have arrived and were not taken yet. Asks its source to pause while too many, or too many bytes, wait. */
export class Inbox {
  readonly #pause: (paused: boolean) => void
  readonly #maxFrames: number
  readonly #maxBytes: number
  /** The frames before {@link Inbox.#taken} are gone; their places are freed from time to time. */
  readonly #frames: Frame[] = []
  #taken = 0
  /** Length of what waits: bytes of binary frames, characters of text frames. */
  #bytes = 0
  #paused = false
  #waiting: { resolve: (frame: Frame) => void; reject: (error: Error) => void } | null = null
  /** Takes frames as they come, in place of {@link Inbox.take}. */
  #deliver: ((frame: Frame) => void) | null = null
  #ended = false

  /**
   * @param pause called with true to pause the source, with false to let it continue
   * @param maxFrames number of waiting frames at which the source is paused
   * @param maxBytes length of the waiting frames at which the source is paused
   */
  constructor(
    pause: (paused: boolean) => void = () => {},
    maxFrames: number = LIMITS.waitingFrames,
    maxBytes: number = LIMITS.waitingData,
  ) {
    this.#pause = pause
    this.#maxFrames = maxFrames
    this.#maxBytes = maxBytes
  }

  put(frame: Frame): void {
    if (this.#deliver !== null) return this.#deliver(frame)
    if (this.#waiting !== null) {
      const { resolve } = this.#waiting
      this.#waiting = null
      resolve(frame)
      return
    }
    this.#frames.push(frame)
    this.#bytes += frame.length
    this.#settlePause()
  }

  /** From now on every frame goes to `deliver` at once; those that wait go first. */
  deliverTo(deliver: (frame: Frame) => void): void {
    // What comes while one is handed out has to wait for its turn.
    for (let frame = this.#next(); frame !== undefined; frame = this.#next()) deliver(frame)
    this.#deliver = deliver
  }

  /** @throws AipError `CONNECTION_CLOSED` */
  take(): Promise<Frame> {
    const frame = this.#next()
    if (frame !== undefined) return Promise.resolve(frame)
    if (this.#ended) return Promise.reject(aipError('CONNECTION_CLOSED'))
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
    })
  }

  /** No more frames come: a waiting receiver gets `CONNECTION_CLOSED`, frames that arrived before can still be taken. */
  end(): void {
    this.#ended = true
    this.#waiting?.reject(aipError('CONNECTION_CLOSED'))
    this.#waiting = null
  }

  /** Takes the frame that has waited longest. */
  #next(): Frame | undefined {
    const frame = this.#frames[this.#taken]
    if (frame === undefined) return undefined
    this.#frames[this.#taken] = ''
    this.#taken += 1
    this.#bytes -= frame.length
    // The array would grow forever under a receiver that never catches up.
    if (this.#taken === this.#frames.length || this.#taken >= 1024) {
      this.#frames.splice(0, this.#taken)
      this.#taken = 0
    }
    this.#settlePause()
    return frame
  }

  #settlePause(): void {
    const full = this.#frames.length - this.#taken >= this.#maxFrames || this.#bytes >= this.#maxBytes
    if (full === this.#paused) return
    this.#paused = full
    this.#pause(full)
  }
}
