import { aipError } from '../errors.js'
import { LIMITS } from '../limits.js'
import type { Pace } from './pace.js'

type Frame = string | Uint8Array

/** Frames that have arrived and were not taken yet. Pauses its source while too many frames, or too many bytes, wait. */
export class Inbox {
  readonly #pause: (paused: boolean) => void
  readonly #maxFrames: number
  readonly #maxBytes: number
  /** The frames before {@link Inbox.#taken} were taken; their slots are freed from time to time. */
  readonly #frames: Frame[] = []
  #taken = 0
  /** Length of the waiting frames: bytes of binary frames, characters of text frames. */
  #bytes = 0
  #paused = false
  #waiting: { resolve: (frame: Frame) => void; reject: (error: Error) => void } | null = null
  /** Receives frames as they arrive, instead of {@link Inbox.take}. */
  #deliver: ((frame: Frame) => void) | null = null
  #pace: Pace | null = null
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
    if (this.#deliver !== null && this.#mayDeliver()) return this.#deliver(frame)
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

  /** Hands every frame to `deliver` from now on, as fast as `pace` lets it; waiting ones come first. */
  deliverTo(deliver: (frame: Frame) => void, pace: Pace | null = null): void {
    this.#pace = pace
    this.#handOut(deliver)
    this.#deliver = deliver
    this.#settlePause()
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

  /** Ends the inbox: a waiting receiver gets `CONNECTION_CLOSED`; frames that have arrived can still be taken. */
  end(): void {
    this.#ended = true
    this.#waiting?.reject(aipError('CONNECTION_CLOSED'))
    this.#waiting = null
  }

  /** Frames that wait are delivered first. */
  #mayDeliver(): boolean {
    return this.#frames.length === 0 && (this.#pace === null || this.#pace.admits(this.#again))
  }

  readonly #again = (): void => {
    if (this.#deliver !== null) this.#handOut(this.#deliver)
  }

  // A frame that arrives while another is handed out has to wait its turn.
  #handOut(deliver: (frame: Frame) => void): void {
    while (this.#taken < this.#frames.length && (this.#pace === null || this.#pace.admits(this.#again))) {
      const frame = this.#next()
      if (frame !== undefined) deliver(frame)
    }
  }

  /** Takes the oldest frame. */
  #next(): Frame | undefined {
    const frame = this.#frames[this.#taken]
    if (frame === undefined) return undefined
    this.#frames[this.#taken] = ''
    this.#taken += 1
    this.#bytes -= frame.length
    // The array would grow forever if the receiver never catches up.
    if (this.#taken === this.#frames.length || this.#taken >= 1024) {
      this.#frames.splice(0, this.#taken)
      this.#taken = 0
    }
    this.#settlePause()
    return frame
  }

  #settlePause(): void {
    const waiting = this.#frames.length - this.#taken
    // With a pace, a frame waits only because there are too many.
    const full = waiting >= (this.#deliver === null ? this.#maxFrames : 1) || this.#bytes >= this.#maxBytes
    if (full === this.#paused) return
    this.#paused = full
    this.#pause(full)
  }
}
