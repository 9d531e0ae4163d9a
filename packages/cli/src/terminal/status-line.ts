import { displayWidth, duration, fit } from './format.js'
import { type Line, paint, painted, singleLine } from './painted.js'
import { clearLine, moveBack, writeLine, writePart } from './write.js'

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏']
const FRAME_MS = 100

/**
 * What is going on right now, as the last line of the terminal: a spinner, a text and its duration; or what the user is typing. On a
 * pipe only finished lines are written. Until it is closed it keeps the process alive.
 */
export class StatusLine {
  readonly #stream: NodeJS.WriteStream
  readonly #timer: NodeJS.Timeout
  #text = ''
  #since = Date.now()
  #timed = true
  #frame = 0
  #shown = false
  #draft = { text: '', cursor: 0 }

  /** @param stream default: stderr, so that stdout holds results alone */
  constructor(stream: NodeJS.WriteStream = process.stderr) {
    this.#stream = stream
    this.#timer = setInterval(() => {
      // What is being typed is drawn when it changes.
      if (this.#draft.text === '') this.#draw()
    }, FRAME_MS)
  }

  /** Changes the text; its time restarts. An empty text hides the line. @param since when its time began, in milliseconds since the epoch */
  set(text: string, since: number = Date.now()): void {
    this.#text = singleLine(text)
    this.#timed = true
    this.#since = since
  }

  /** Changes the text; its time continues. @param time `untimed` if the text says itself how long it takes */
  update(text: string, time: 'timed' | 'untimed' = 'timed'): void {
    this.#text = singleLine(text)
    this.#timed = time === 'timed'
  }

  /** What the user is typing; an empty text restores the line. @param cursor where the cursor is in it */
  draft(text: string, cursor: number): void {
    if (text === '' && this.#draft.text === '') return
    this.#draft = { text: singleLine(text), cursor }
    this.#draw()
  }

  /** Writes a finished line above the status. */
  log(line: Line): void {
    this.#clear()
    writeLine(this.#stream, line)
    if (this.#draft.text !== '') this.#draw()
  }

  /** Removes the line and lets the process end. */
  close(): void {
    clearInterval(this.#timer)
    this.#clear()
  }

  #draw(): void {
    if (this.#draft.text !== '') return this.#drawDraft()
    const elapsed = Date.now() - this.#since
    // Short work needs no spinner: it would only flicker.
    if (!this.#stream.isTTY || this.#text === '' || elapsed < 2 * FRAME_MS) return this.#clear()
    this.#frame = (this.#frame + 1) % FRAMES.length
    const time = elapsed < 1000 || !this.#timed ? '' : `  ${duration(Math.floor(elapsed / 1000) * 1000).replace('.0', '')}`
    const text = fit(this.#text, this.#stream.columns - 2 - time.length - 1)
    this.#clear()
    writePart(this.#stream, painted`${paint('cyan', FRAMES[this.#frame] ?? '')} ${text}${paint('dim', time)}`)
    this.#shown = true
  }

  #drawDraft(): void {
    const { text, cursor } = this.#draft
    const back = displayWidth(text.slice(cursor))
    // Of a text that is too long its end is shown, where it is written.
    let kept = text
    while (displayWidth(kept) > this.#stream.columns - 3) kept = kept.slice(1)
    this.#clear()
    writePart(this.#stream, painted`${paint('cyan', '›')} ${kept}`)
    moveBack(this.#stream, back)
    this.#shown = true
  }

  #clear(): void {
    if (this.#shown) clearLine(this.#stream)
    this.#shown = false
  }
}
