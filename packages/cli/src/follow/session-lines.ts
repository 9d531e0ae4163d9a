import type { SessionEvent } from '@orrery/aip/api'
import { textOf } from './event-data.js'
import { columnsOf, duration, fit, shortId } from '../terminal/format.js'
import { type Line, paint, painted, singleLine } from '../terminal/painted.js'

/** Reports sessions in one line at their start and one at their end. */
export function sessionLines(print: (line: Line) => void): (event: SessionEvent) => void {
  const started = new Map<string, number>()
  return (event) => {
    const id = shortId(event.session_id)
    const time = paint('dim', new Date(event.time).toTimeString().slice(0, 8))
    if (event.type === 'accepted') {
      // Lists of tools are read by commands that look; they are not work.
      if (event.data['task_name'] === 'list_tools') return
      started.set(event.session_id, Date.parse(event.time))
      const device = singleLine(textOf(event.data['device_id']) ?? '')
      const request = singleLine(textOf(event.data['request']) ?? '')
      const room = columnsOf(process.stdout, 200) - 8 - id.length - device.length - 16
      print(painted`${time}  ${id}  ${device}: ${fit(request, room)}`)
    } else if (event.type === 'ended') {
      const since = started.get(event.session_id)
      if (since === undefined) return
      started.delete(event.session_id)
      const status = textOf(event.data['status']) ?? 'ended'
      const style = status === 'completed' ? 'green' : 'red'
      print(painted`${time}  ${id}  ${paint(style, status)} in ${duration(Date.parse(event.time) - since)}`)
    }
  }
}
