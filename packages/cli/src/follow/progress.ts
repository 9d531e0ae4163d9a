import type { SessionEvent } from '@orrery/aip/api'
import { type ShownCommand, commandsOf, describeCommand, numberOf, resultsOf, textOf, turnOf, waitsOf } from './event-data.js'
import { capitalised, clockTime, columnsOf, duration, fit } from '../terminal/format.js'
import { type Painted, type Style, paint, painted, singleLine } from '../terminal/painted.js'
import { StatusLine } from '../terminal/status-line.js'

const MARKS: Record<string, { mark: string; style: Style }> = {
  success: { mark: '✓', style: 'green' },
  skipped: { mark: '–', style: 'dim' },
  failure: { mark: '✗', style: 'red' },
}

/** Shows a session while it runs: a line for each command that is done, and below what is going on. */
export class Progress {
  readonly #device: string
  readonly #results: boolean
  readonly #answers: boolean
  readonly #denialExpected: boolean
  readonly #stream: NodeJS.WriteStream
  readonly #status: StatusLine
  #batch: ShownCommand[] = []
  /** What it was last said to wait for. */
  #waits = ''

  /**
   * @param options with `results: false` only what is going on is shown, and nothing of it stays; `answers` if the user can type
   * an answer here; `denialExpected` if a failure is what is to be shown
   */
  constructor(
    device: string,
    options: { results: boolean; answers?: boolean; denialExpected?: boolean; stream?: NodeJS.WriteStream },
  ) {
    this.#stream = options.stream ?? process.stderr
    this.#status = new StatusLine(this.#stream)
    this.#device = singleLine(device)
    this.#results = options.results
    this.#answers = options.answers ?? false
    this.#denialExpected = options.denialExpected ?? false
    this.#status.set(`Waiting for ${this.#device}`)
  }

  /** Shows an event of the session. */
  show(event: SessionEvent): void {
    switch (event.type) {
      case 'commands_sent':
        this.#batch = commandsOf(event)
        this.#status.set(this.#running())
        break
      case 'results_received':
        this.#waits = ''
        if (this.#results) this.#showResults(event)
        this.#batch = []
        this.#status.set(`Waiting for the next step on ${this.#device}`)
        break
      case 'progress':
        if (waitsOf(event) !== undefined) this.#showWait(event)
        // What belongs to no call is said by the agent itself.
        else if (event.data['call_id'] === null) this.#note(progressText(event))
        // A device asks its owner: the server says so too, with the time.
        else if (this.#waits === '') this.#status.update(`${this.#running()}  ${progressText(event)}`)
        break
      case 'paused':
        this.#note(`${this.#device} is away; the session waits for it`)
        this.#waits = `waiting for ${this.#device} to come back`
        this.#status.set(capitalised(this.#waits))
        break
      case 'resumed':
        this.#note(`${this.#device} is back`)
        this.#waits = ''
        this.#status.set(this.#running())
        break
      case 'approval':
        this.#showApproval(event)
        break
      case 'agent_step':
        this.#showTurn(event)
        break
      case 'remark':
        this.#note(`heard: ${textOf(event.data['text']) ?? ''}`)
        break
      case 'question':
        this.#status.log(painted`${paint('yellow', '?')} ${singleLine(textOf(event.data['text']) ?? '')}`)
        this.#note(this.#answers ? 'type your answer' : `answer with: orrery say ${event.session_id.slice(0, 8)} "…"`)
        // A spinner would be drawn over what the user types.
        this.#status.set(this.#answers ? '' : 'Waiting for an answer')
        break
      case 'answer':
        this.#note(textOf(event.data['text']) === null ? 'not answered' : `answered: ${textOf(event.data['text']) ?? ''}`)
        this.#status.set('Waiting for the model')
        break
      case 'accepted':
      case 'ended':
      case 'delivered':
        break
    }
  }

  /** Shows what is going on besides the events. */
  say(text: string): void {
    this.#status.set(text)
  }

  /** What the user is typing, which is shown in the last line. @param cursor where the cursor is in it */
  draft(text: string, cursor: number): void {
    this.#status.draft(text, cursor)
  }

  /** Shows the user something besides the events. */
  note(text: string): void {
    this.#note(text)
  }

  /** Removes what is not finished. */
  close(): void {
    this.#status.close()
  }

  /** Shows what it waits for: on a terminal as long as it does, elsewhere once for each change. */
  #showWait(event: SessionEvent): void {
    const waits = waitsOf(event)
    const text = waits === undefined || waits === null ? '' : singleLine(textOf(event.data['message']) ?? waits.reason)
    if (text === this.#waits) return
    this.#waits = text
    if (text === '' || waits === undefined || waits === null) return this.#status.set(this.#running())
    this.#status.set(capitalised(text), Date.parse(waits.since))
    if (!this.#stream.isTTY) this.#note(`${text} (since ${clockTime(waits.since)})`)
  }

  #running(): string {
    const [first, ...others] = this.#batch
    if (first === undefined) return `Running on ${this.#device}`
    return `${describeCommand(first)}${others.length > 0 ? ` and ${others.length} more` : ''}`
  }

  #showResults(event: SessionEvent): void {
    const results = resultsOf(event)
    const ms = numberOf(event.data['duration_ms'])
    // What the server lists for itself is not a step of the task.
    if (this.#batch.every(({ tool_name: tool }) => tool === 'list_tools')) return
    for (const [index, result] of results.entries()) {
      const command = this.#batch.find((sent) => sent.call_id === result.call_id) ?? this.#batch[index]
      // The time is that of the whole batch, so it is shown at its last command.
      const last = index === results.length - 1
      const time = !last || ms === null ? '' : `${results.length > 1 ? `${results.length} commands in ` : ''}${duration(ms)}`
      this.#status.log(this.#line(result.status, command, time))
      if (result.error !== null)
        this.#status.log(painted`  ${paint(this.#denialExpected ? 'dim' : 'red', this.#fit(singleLine(result.error), 2))}`)
    }
  }

  #line(status: string, command: ShownCommand | undefined, time: string): Painted {
    const { mark, style } = MARKS[this.#denialExpected ? 'success' : status] ?? { mark: '?', style: 'dim' }
    const outcome = this.#stream.isTTY ? '' : `${this.#denialExpected ? 'denied' : status}  `
    const where = `${this.#device}: `
    const what = command === undefined ? '?' : singleLine(describeCommand(command))
    const room = 2 + outcome.length + where.length + (time === '' ? 0 : time.length + 2)
    const fitted = this.#fit(what, room)
    const tail = time === '' ? '' : painted`  ${paint('dim', time)}`
    return painted`${paint(style, mark)} ${outcome}${paint('dim', where)}${fitted}${tail}`
  }

  /** What the model thinks; its calls are shown when they have their results, and its last words are the result. */
  #showTurn(event: SessionEvent): void {
    const turn = turnOf(event)
    if (turn === undefined || turn.text === '' || turn.calls.length === 0) return
    this.#status.log(paint('cyan', this.#fit(`» ${singleLine(turn.text)}`, 0)))
  }

  #showApproval(event: SessionEvent): void {
    const [id, call, decision] = ['ask_id', 'summary', 'decision'].map((key) => textOf(event.data[key]) ?? '')
    if (decision !== '') return this.#note(`${decision === 'allow' ? 'allowed' : 'denied'} by ${textOf(event.data['by']) ?? ''}`)
    const [first = '', ...more] = call?.split('\n') ?? []
    this.#note(`${this.#device} asks for an approval: ${first}`)
    for (const line of more) this.#status.log(`  ${line}`)
    this.#note(`answer with: orrery answer ${id?.slice(0, 8) ?? ''} allow (or deny)`)
    this.#waits = `waiting for an approval at ${this.#device}`
    this.#status.set(capitalised(this.#waits))
  }

  #note(text: string): void {
    this.#status.log(painted`${paint('yellow', '•')} ${singleLine(text)}`)
  }

  /** Cuts a text so that it and `others` columns fit the terminal; on a pipe so that a line stays a line to read. */
  #fit(text: string, others: number): string {
    return fit(text, columnsOf(this.#stream, 200) - others - 1)
  }
}

function progressText(event: SessionEvent): string {
  const progress = numberOf(event.data['progress'])
  const total = numberOf(event.data['total'])
  const message = textOf(event.data['message']) ?? ''
  if (progress === null) return message
  return `${total === null || total === 0 ? progress : `${Math.round((progress / total) * 100)} %`} ${message}`.trimEnd()
}
