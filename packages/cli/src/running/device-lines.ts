import { messageOf } from '@orrery/aip'
import type { DeviceEvent } from '@orrery/device'
import { describeCommand } from '../follow/event-data.js'
import { CliError } from '../terminal/errors.js'
import { columnsOf, duration, fit } from '../terminal/format.js'
import { type Line, paint, painted, singleLine } from '../terminal/painted.js'
import { alreadyRuns } from '../settings/running-server.js'

type Call = Extract<DeviceEvent, { type: 'called' }>['call']

/** Reports to the owner of a device, in lines: what runs, each configuration that takes effect, lost connections and that they are back. */
export class DeviceLines {
  readonly #print: (line: Line) => void
  #connected = false
  #lostAt: number | null = null

  constructor(print: (line: Line) => void) {
    this.#print = print
  }

  /** The connection was lost, or another attempt has failed. Said once. */
  lost(error: unknown, now: number = Date.now()): void {
    if (this.#lostAt !== null) return
    this.#lostAt = now
    const what = this.#connected ? 'connection lost' : 'not connected'
    this.#print(painted`${time(now)}  ${paint('yellow', what)}: ${singleLine(messageOf(error))}; trying again`)
  }

  show(event: DeviceEvent, now: number = Date.now()): void {
    switch (event.type) {
      case 'connected':
        if (this.#lostAt !== null && this.#connected)
          this.#print(painted`${time(now)}  ${paint('green', 'connected again')} after ${duration(now - this.#lostAt)}`)
        this.#connected = true
        this.#lostAt = null
        break
      case 'configured': {
        const { shell, policy } = event.config
        const rules = policy.rules.length === 1 ? '1 rule' : `${policy.rules.length} rules`
        this.#print(painted`${time(now)}  device.jsonc has changed and counts now: shell ${shell}, ${rules}`)
        break
      }
      case 'called':
        this.#print(callLine(event.call))
        break
    }
  }
}

/** Returns the error of a device whose journal another process has open; undefined for any other error. */
export function deviceInUse(error: unknown): CliError | undefined {
  if (!(error instanceof Error && 'code' in error && error.code === 'IN_USE')) return undefined
  const owner = 'owner' in error && typeof error.owner === 'number' ? error.owner : null
  const advice = 'This machine is connected as a device by that process; a second device needs another --client-id'
  return new CliError(`${alreadyRuns(owner)}. ${advice}`, undefined, { cause: error })
}

function callLine(call: Call): Line {
  const { tool, arguments: args = {}, decision, rule, by, outcome, error, duration_ms: ms, session_id: session } = call
  const at = Date.parse(call.time)
  const what = singleLine(describeCommand({ tool_name: tool.split('/').at(-1) ?? tool, parameters: args, call_id: null }))
  const who = by === 'policy' ? rule : by
  const ended = outcome === 'success' ? paint('green', 'success') : paint('red', singleLine(outcome))
  const end =
    decision === 'deny'
      ? paint('red', `denied (${singleLine(who)})`)
      : painted`allowed (${singleLine(who)}), ${ended} in ${duration(ms)}`
  const why = decision === 'deny' || error === null ? '' : `: ${singleLine(error)}`
  const room = Math.max(columnsOf(process.stdout, 200) - 60, 24)
  return painted`${time(at)}  ${paint('dim', session?.slice(0, 8) ?? '')}  ${fit(what, room)}  ${end}${fit(why, room)}`
}

function time(at: number): Line {
  return paint('dim', new Date(at).toTimeString().slice(0, 8))
}
