import { byteCount, duration } from '../terminal/format.js'
import { paint, singleLine } from '../terminal/painted.js'
import { StatusLine } from '../terminal/status-line.js'

/** The text of the line changes at most this often, in milliseconds. */
const UPDATE_MS = 100
/** Without any bytes for this many milliseconds at its beginning, a copy waits for the device, which may be asking its owner. */
const STALL_MS = 1000
/** The first bytes fill buffers on the way and tell nothing of the device. */
const BUFFERED = 16 * 1024 * 1024

/** Shows on stderr how far a copy is: bytes, percent and rate. */
export class CopyProgress implements Disposable {
  readonly #status = new StatusLine()
  readonly #name: string
  readonly #size: () => number
  readonly #stall: NodeJS.Timeout
  #bytes = 0
  #startedAt = Date.now()
  #movedAt = Date.now()
  #shownAt = 0

  /** @param waitsFor what the copy waits for until bytes move @param size bytes in all, once they are known */
  constructor(name: string, waitsFor: string, size: () => number) {
    this.#name = singleLine(name)
    this.#size = size
    this.#status.set(`Waiting for ${waitsFor}`)
    this.#stall = setInterval(() => {
      if (this.#isStalled()) this.#status.update(`Waiting for ${waitsFor}, which may be asking for permission`)
    }, STALL_MS)
  }

  /** More bytes have moved. @param bytes how many since the last time */
  moved(bytes: number): void {
    const now = Date.now()
    if (this.#bytes === 0 || this.#isStalled()) this.#startedAt = now
    this.#movedAt = now
    this.#bytes += bytes
    if (now - this.#shownAt < UPDATE_MS) return
    this.#shownAt = now
    const percent = Math.floor((this.#bytes / Math.max(this.#size(), 1)) * 100)
    const much = `${byteCount(this.#bytes)} of ${byteCount(this.#size())}`
    this.#status.update(`${this.#name}  ${much}  ${percent} %  ${this.#rate()}`)
  }

  /** Leaves a line about the whole copy. */
  done(target: string): void {
    const time = duration(Date.now() - this.#startedAt)
    const line = `${this.#name} → ${singleLine(target)}: ${byteCount(this.#bytes)} in ${time}, ${this.#rate()}`
    this.#status.log(paint('dim', line))
  }

  [Symbol.dispose](): void {
    clearInterval(this.#stall)
    this.#status.close()
  }

  #isStalled(): boolean {
    return this.#bytes < BUFFERED && this.#bytes < this.#size() && Date.now() - this.#movedAt >= STALL_MS
  }

  #rate(): string {
    const seconds = Math.max(Date.now() - this.#startedAt, 1) / 1000
    return `${byteCount(this.#bytes / seconds)}/s`
  }
}
