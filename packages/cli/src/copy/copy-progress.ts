import { byteCount, duration, paint, singleLine } from '../output.js'
import { StatusLine } from '../status-line.js'

/** The text of the line changes at most this often, in milliseconds. */
const UPDATE_MS = 100

/** Shows on stderr how far a copy is: bytes, percent and rate. */
export class CopyProgress implements Disposable {
  readonly #status = new StatusLine()
  readonly #name: string
  readonly #size: () => number
  #bytes = 0
  #startedAt = Date.now()
  #shownAt = 0

  /** @param waitsFor what the copy waits for until bytes move @param size bytes in all, once they are known */
  constructor(name: string, waitsFor: string, size: () => number) {
    this.#name = singleLine(name)
    this.#size = size
    this.#status.set(`Waiting for ${waitsFor}`)
  }

  /** More bytes have moved. @param bytes how many since the last time */
  moved(bytes: number): void {
    if (this.#bytes === 0) this.#startedAt = Date.now()
    this.#bytes += bytes
    const now = Date.now()
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
    this.#status.log(paint('dim', line, process.stderr))
  }

  [Symbol.dispose](): void {
    this.#status.close()
  }

  #rate(): string {
    const seconds = Math.max(Date.now() - this.#startedAt, 1) / 1000
    return `${byteCount(this.#bytes / seconds)}/s`
  }
}
