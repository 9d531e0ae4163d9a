/** The longest header of a frame: two bytes, a length of eight, a mask of four (RFC 6455, 5.2). */
const HEADER_BYTES = 14
const CONTROL = 0x08
const FIN = 0x80
const MASKED = 0x80

/**
 * Follows the frames in the bytes of a WebSocket connection without keeping them: how large each will be, which is known before it
 * has arrived, and whether a message has begun and not ended. The library tells neither.
 */
export class FrameMeter {
  readonly #onFrame: (bytes: number) => void
  readonly #header = new Uint8Array(HEADER_BYTES)
  #headerBytes = 0
  /** Bytes of the current frame that are still to come. */
  #left = 0
  #isControl = false
  /** A message whose last frame has not begun. */
  #isOpen = false
  #data = 0
  #message = 0

  /** @param onFrame called as soon as a header has arrived, with the length that it announces */
  constructor(onFrame: (bytes: number) => void) {
    this.#onFrame = onFrame
  }

  /** Whether a message has begun and not ended. */
  get isUnfinished(): boolean {
    return this.#isOpen || this.#headerBytes > 0 || this.#left > 0
  }

  /** Bytes of messages that have arrived; pings and pongs do not count. */
  get dataBytes(): number {
    return this.#data
  }

  /** Bytes that have arrived of a message that has not ended. */
  get messageBytes(): number {
    return this.#message
  }

  feed(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length;) {
      if (this.#left > 0) {
        const taken = Math.min(this.#left, chunk.length - at)
        this.#left -= taken
        if (!this.#isControl) this.#count(taken)
        at += taken
        continue
      }
      this.#header[this.#headerBytes] = chunk[at] ?? 0
      this.#headerBytes += 1
      at += 1
      if (this.#headerBytes >= 2 && this.#headerBytes === this.#headerLength()) this.#begin()
    }
  }

  #count(bytes: number): void {
    this.#data += bytes
    this.#message = this.#left === 0 && !this.#isOpen ? 0 : this.#message + bytes
  }

  #headerLength(): number {
    const [, second = 0] = this.#header
    const short = second & 0x7f
    return 2 + (short === 126 ? 2 : short === 127 ? 8 : 0) + ((second & MASKED) === 0 ? 0 : 4)
  }

  #begin(): void {
    const [first = 0, second = 0] = this.#header
    const view = new DataView(this.#header.buffer)
    const short = second & 0x7f
    this.#left = short === 126 ? view.getUint16(2) : short === 127 ? Number(view.getBigUint64(2)) : short
    this.#isControl = (first & CONTROL) !== 0
    if (!this.#isControl) this.#isOpen = (first & FIN) === 0
    if (!this.#isControl) this.#count(0)
    this.#headerBytes = 0
    this.#onFrame(this.#left)
  }
}
