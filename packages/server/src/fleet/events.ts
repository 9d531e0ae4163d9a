import type { FleetEvent, FleetEventType, SessionEvent } from '@orrery/aip/api'
import { requireRight, type Principal } from '../identity/principal.js'
import type { Change, Feed } from '../store/feed.js'
import type { FleetAsks } from './asks.js'
import type { FleetDevices } from './devices.js'
import type { FleetSessions } from './sessions.js'

/** Which events are wanted. */
export interface FleetEventFilter {
  /** The position of a list or of an event: what happened after it comes first. Default: only what happens from now on. */
  since?: string | undefined
  /** Default: all. */
  types?: readonly FleetEventType[] | undefined
  /** A run id: its records and progress come too. */
  run?: string | undefined
}

/** What {@link FleetEvents} work on. */
export interface FleetEventsParts {
  feed: Feed
  devices: FleetDevices
  sessions: FleetSessions
  asks: FleetAsks
}

/** A change that is still to be described. */
interface Waiting {
  change: Change
  position: string
}

/** What happens on the whole fleet: devices, sessions and approvals, each as it is now. */
export class FleetEvents {
  readonly #feed: Feed
  readonly #devices: FleetDevices
  readonly #sessions: FleetSessions
  readonly #asks: FleetAsks

  constructor({ feed, devices, sessions, asks }: FleetEventsParts) {
    this.#feed = feed
    this.#devices = devices
    this.#sessions = sessions
    this.#asks = asks
  }

  /**
   * Follows the fleet until the signal aborts. Of several waiting changes of one thing, only the last is sent. A position that is too
   * old is answered with `reset`: the lists must be read again.
   */
  follow(principal: Principal, filter: FleetEventFilter, signal: AbortSignal): AsyncIterable<FleetEvent> {
    requireRight(principal, 'read')
    return this.#follow(principal, filter, signal)
  }

  async *#follow(principal: Principal, { since, types, run }: FleetEventFilter, signal: AbortSignal): AsyncGenerator<FleetEvent> {
    const waiting = new Map<string, Waiting>()
    const records: SessionEvent[] = []
    let woken = Promise.withResolvers<void>()
    const wake = (): void => woken.resolve()
    const add = (next: Waiting): void => {
      if (types !== undefined && !types.includes(next.change.kind)) return
      const key = keyOf(next.change)
      waiting.delete(key)
      waiting.set(key, next)
      wake()
    }
    signal.addEventListener('abort', wake, { once: true })
    const newest: Waiting[] = []
    let caughtUp = false
    const stops = [
      this.#feed.onChange((change, position) => (caughtUp ? add({ change, position }) : newest.push({ change, position }))),
      ...(run === undefined
        ? []
        : [
            this.#sessions.follow(principal, run, (event) => {
              records.push(event)
              wake()
            }),
          ]),
    ]
    try {
      const missed = since === undefined ? [] : await this.#feed.since(since)
      if (missed === null) yield { id: this.#feed.position(), type: 'reset', data: null }
      // A position is sent after everything before it, so that a reader which returns with it misses nothing.
      for (const next of [...(missed ?? []), ...newest]) add(next)
      caughtUp = true
      while (!signal.aborted) {
        for (const event of records.splice(0)) yield { id: null, type: 'record', data: event }
        for (const [key, next] of waiting) {
          waiting.delete(key)
          const event = await this.#describe(principal, next)
          if (event !== null) yield event
        }
        if (waiting.size + records.length > 0) continue
        await woken.promise
        woken = Promise.withResolvers()
      }
    } finally {
      signal.removeEventListener('abort', wake)
      for (const stop of stops) stop()
    }
  }

  /** Returns what has changed in its current state; null if it is gone. */
  async #describe(principal: Principal, { change, position }: Waiting): Promise<FleetEvent | null> {
    switch (change.kind) {
      case 'session': {
        const data = await this.#sessions.find(principal, change.runId)
        return data === undefined ? null : { id: position, type: 'session', data }
      }
      case 'presence': {
        const data = this.#devices.find(principal, change.deviceId)
        return data === undefined ? null : { id: position, type: 'presence', data }
      }
      case 'ask': {
        const ask = this.#asks.get(principal, change.askId) ?? null
        return { id: position, type: 'ask', data: { ask_id: change.askId, ask } }
      }
    }
  }
}

function keyOf(change: Change): string {
  switch (change.kind) {
    case 'session':
      return `session ${change.runId}`
    case 'presence':
      return `presence ${change.deviceId}`
    case 'ask':
      return `ask ${change.askId}`
  }
}
