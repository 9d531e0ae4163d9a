import { byteCount, capitalised, duration } from '../terminal/format.js'
import { paint, painted, singleLine } from '../terminal/painted.js'
import { StatusLine } from '../terminal/status-line.js'

/** The text of the line changes at most this often, in milliseconds. */
const UPDATE_MS = 100
/** Without any bytes for this many milliseconds at its beginning, a copy waits, and it is looked up what for. */
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
  #waits = ''
  #closed = false
  #startedAt = Date.now()
  #movedAt = Date.now()
  #shownAt = 0

  /**
   * @param device what the copy waits for until bytes move
   * @param size bytes in all, once they are known
   * @param waits says what the copy waits for; null if that is not known
   */
  constructor(
    name: string,
    device: string,
    size: () => number,
    waits: () => Promise<string | null> = () => Promise.resolve(null),
  ) {
    this.#name = singleLine(name)
    this.#size = size
    this.#status.set(`Waiting for ${device}`)
    let looking = false
    this.#stall = setInterval(() => {
      if (!this.#isStalled() || looking) return
      looking = true
      void waits()
        .then((text) => this.#showWait(text ?? `waiting for ${device}`))
        .finally(() => (looking = false))
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
    this.#status.update(`${this.#name}  ${much}  ${percent} %  ${this.#rate()}${this.#left()}`, 'untimed')
  }

  /** Leaves a line about the whole copy. */
  done(target: string): void {
    const time = duration(Date.now() - this.#startedAt)
    const line = `${this.#name} → ${singleLine(target)}: ${byteCount(this.#bytes)} in ${time}, ${this.#rate()}`
    this.#status.log(paint('dim', line))
  }

  [Symbol.dispose](): void {
    this.#closed = true
    clearInterval(this.#stall)
    this.#status.close()
  }

  /** Shows what the copy waits for: on a terminal as long as it does, elsewhere once for each change. */
  #showWait(text: string): void {
    if (this.#closed || !this.#isStalled()) return
    this.#status.update(capitalised(text))
    if (text === this.#waits) return
    this.#waits = text
    if (!process.stderr.isTTY) this.#status.log(painted`${paint('yellow', '•')} ${singleLine(this.#name)}: ${singleLine(text)}`)
  }

  #isStalled(): boolean {
    return this.#bytes < BUFFERED && Date.now() - this.#movedAt >= STALL_MS
  }

  /** How long it will take, once that can be said. */
  #left(): string {
    const elapsed = Date.now() - this.#startedAt
    const rest = this.#size() - this.#bytes
    if (elapsed < 2 * STALL_MS || rest <= 0 || this.#bytes === 0) return ''
    return `  ${duration(Math.ceil(((rest / this.#bytes) * elapsed) / 1000) * 1000).replace('.0 s', ' s')} left`
  }

  #rate(): string {
    const seconds = Math.max(Date.now() - this.#startedAt, 1) / 1000
    return `${byteCount(this.#bytes / seconds)}/s`
  }
}
