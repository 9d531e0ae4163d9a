/** What the keys that were typed are to do. */
export interface Typed {
  /** What goes to the program. */
  bytes: Buffer
  /** The user wants to leave. */
  leave: boolean
}

const TILDE = 0x7e
const DOT = 0x2e
const LINE_ENDS: ReadonlySet<number | undefined> = new Set([0x0a, 0x0d])

/** Finds the keys with which a user leaves a terminal whatever runs in it, as in ssh: `~.` at the beginning of a line; `~~` there is a tilde. */
export class EscapeKeys {
  #atStart = true
  #held = false

  /** Takes the next bytes that were typed. What follows the keys is dropped. */
  take(typed: Uint8Array): Typed {
    const bytes: number[] = []
    for (const byte of typed) {
      if (this.#held) {
        this.#held = false
        if (byte === DOT) return { bytes: Buffer.from(bytes), leave: true }
        bytes.push(TILDE)
        if (byte === TILDE) {
          this.#atStart = false
          continue
        }
      } else if (this.#atStart && byte === TILDE) {
        this.#held = true
        continue
      }
      bytes.push(byte)
      this.#atStart = LINE_ENDS.has(byte)
    }
    return { bytes: Buffer.from(bytes), leave: false }
  }
}
