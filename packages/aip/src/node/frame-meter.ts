// The header of a frame: two bytes, a length of none, two or eight more, a mask of none or four (RFC 6455, 5.2).
const CONTROL = 0x08
const FIN = 0x80
const MASKED = 0x80

/**
 * Follows the frames in the bytes of a WebSocket connection without keeping them: how large each will be, which is known before it
 * has arrived, and whether a message has begun and not ended. The library tells neither.
 */
export abstract class FrameMeter {
  #headerBytes = 0
  #first = 0
  #second = 0
  #length = 0
  /** Bytes of the current frame that are still to come. */
  #left = 0
  #isControl = false
  /** A message whose last frame has not begun. */
  #isOpen = false
  #data = 0
  #message = 0

  /** Called as soon as a header has arrived. @param bytes the length that it announces */
  protected abstract frameBegins(bytes: number): void

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
      this.#readHeader(chunk[at] ?? 0)
      at += 1
    }
  }

  #readHeader(byte: number): void {
    const at = this.#headerBytes
    this.#headerBytes += 1
    const more = this.#moreLength()
    if (at === 0) this.#first = byte
    else if (at === 1) {
      this.#second = byte
      this.#length = this.#moreLength() === 0 ? byte & 0x7f : 0
    } else if (at < 2 + more) this.#length = this.#length * 256 + byte
    if (at > 0 && this.#headerBytes === 2 + this.#moreLength() + ((this.#second & MASKED) === 0 ? 0 : 4)) this.#begin()
  }

  #count(bytes: number): void {
    this.#data += bytes
    this.#message = this.#left === 0 && !this.#isOpen ? 0 : this.#message + bytes
  }

  /** How many bytes of the header hold the length, after the second. */
  #moreLength(): number {
    const short = this.#second & 0x7f
    return short === 126 ? 2 : short === 127 ? 8 : 0
  }

  #begin(): void {
    this.#left = this.#length
    this.#isControl = (this.#first & CONTROL) !== 0
    if (!this.#isControl) this.#isOpen = (this.#first & FIN) === 0
    if (!this.#isControl) this.#count(0)
    this.#headerBytes = 0
    this.frameBegins(this.#left)
  }
}
