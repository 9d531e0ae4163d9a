import { hasEnded, waitText, type Session, type SessionEvent } from '@orrery/aip/api'
import { textOf } from './event-data.js'
import { columnsOf, duration, fit, shortId } from '../terminal/format.js'
import { type Line, paint, painted, singleLine } from '../terminal/painted.js'

/** Reports sessions in one line at their start and one at their end. */
export class SessionLines {
  readonly #print: (line: Line) => void
  readonly #started = new Map<string, number>()

  constructor(print: (line: Line) => void) {
    this.#print = print
  }

  /** Reports a session that an earlier process of the server has begun. */
  resumed(session: Session): void {
    const { session_id: id, device_id: device, request, waits_for: waits, created_at: created, status } = session
    if (hasEnded(status)) return
    this.#started.set(id, Date.parse(created))
    const why = waits === null ? '' : ` (${waitText(waits, device)})`
    this.#print(this.#line(created, id, painted`${paint('yellow', 'continues')}  `, device, `${request}${why}`))
  }

  show(event: SessionEvent): void {
    const { session_id: id, time, data } = event
    if (event.type === 'accepted') {
      // Lists of tools are read by commands that look; they are not work.
      if (data['task_name'] === 'list_tools') return
      this.#started.set(id, Date.parse(time))
      this.#print(this.#line(time, id, '', textOf(data['device_id']) ?? '', textOf(data['request']) ?? ''))
    } else if (event.type === 'ended') this.#ended(event)
  }

  #ended({ session_id: id, time, data }: SessionEvent): void {
    const since = this.#started.get(id)
    if (since === undefined) return
    this.#started.delete(id)
    const status = singleLine(textOf(data['status']) ?? 'ended')
    const took = duration(Date.parse(time) - since)
    const error = status === 'completed' ? null : textOf(data['error'])
    const short = shortId(id)
    const room = columnsOf(process.stdout, 200) - 8 - short.length - status.length - took.length - 12
    const why = error === null ? '' : `: ${fit(singleLine(error), Math.max(room, 20))}`
    this.#print(painted`${clock(time)}  ${short}  ${paint(status === 'completed' ? 'green' : 'red', status)} in ${took}${why}`)
  }

  #line(time: string, id: string, mark: Line, device: string, request: string): Line {
    const short = shortId(id)
    const room = columnsOf(process.stdout, 200) - 8 - short.length - device.length - 28
    return painted`${clock(time)}  ${short}  ${mark}${singleLine(device)}: ${fit(singleLine(request), Math.max(room, 20))}`
  }
}

function clock(time: string): Line {
  return paint('dim', new Date(time).toTimeString().slice(0, 8))
}
