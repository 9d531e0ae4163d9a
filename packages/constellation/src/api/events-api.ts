import { FleetEvent, type FleetEventType } from '@orrery/aip/api'
import { RecordType } from '@orrery/aip/records'
import type { EventSourceMessage } from 'eventsource-parser/stream'
import { type ReadEvent, type ReconnectLimits, eventStream, readData } from './event-stream.js'
import { type CallOptions, type RouteCaller, requestOf } from './route-caller.js'

/** Options of {@link EventsApi.follow}. */
export interface FollowOptions {
  /** The position of a list or the id of an event: what changed after it comes first. Default: only what changes from now on. */
  since?: string
  /** Only these types. Default: all. */
  types?: readonly FleetEventType[]
  /** A session id or run id: its records and progress come too. */
  session?: string
  /** Ends the stream; the iteration then throws the signal's reason. */
  signal?: AbortSignal
}

const KNOWN = new Set<string>(FleetEvent.options.map(({ shape }) => shape.type.value))

/** What happens on the whole fleet. */
export class EventsApi {
  readonly #caller: RouteCaller
  readonly #reconnect: ReconnectLimits

  constructor(caller: RouteCaller, reconnect: ReconnectLimits) {
    this.#caller = caller
    this.#reconnect = { ...reconnect, giveUpMs: Infinity }
  }

  /**
   * Streams what changes on the fleet: devices, sessions and approvals, each as it is then. A lost connection is restored from the
   * last event, however long the server is away, except if it was never reached. `reset` means that events are missing, because the server
   * has restarted or the last event is too old: read the lists again.
   *
   * Records (`session`) have no id of their own: those sent while the connection is lost do not come again. `api.sessions.events` misses none.
   * @throws {ApiClientError} when the server refuses (a wrong key, an unknown session), or cannot be reached the first time
   */
  follow({ since, types, session, signal }: FollowOptions = {}): AsyncIterable<FleetEvent> {
    const query = { types: types?.join(','), session }
    return eventStream<FleetEvent>({
      target: this.#caller.target,
      request: requestOf('events.follow', { query }),
      start: async () => since ?? (await this.#position(signal && { signal })),
      read: (message) => this.#read(message),
      isLast: () => false,
      hasEnded: () => Promise.resolve(false),
      signal,
      reconnect: this.#reconnect,
      reached: this.#caller.reached,
    })
  }

  /** Without a position to start from, a stream that is cut before its first event would silently miss what happened since. */
  async #position(options: CallOptions | undefined): Promise<string> {
    return (await this.#caller.call('asks.list', {}, options)).position
  }

  #read(message: EventSourceMessage): ReadEvent<FleetEvent> | undefined {
    const { event: type = '', id = null } = message
    if (!KNOWN.has(type)) return undefined
    return readData(this.#caller.target, message, (data) => {
      if (type === 'record' && !isKnownRecord(data)) return undefined
      const event = FleetEvent.parse({ id, type, data })
      return { id: event.id, event }
    })
  }
}

/** Returns whether a record is of a type that this client knows; a newer server may send others. */
function isKnownRecord(data: unknown): boolean {
  if (typeof data !== 'object' || data === null || !('type' in data)) return true
  return data.type === 'progress' || typeof data.type !== 'string' || RecordType.safeParse(data.type).success
}
