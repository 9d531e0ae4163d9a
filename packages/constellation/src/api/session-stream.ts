import { SessionEvent } from '@orrery/aip/api'
import { RecordType } from '@orrery/aip/records'
import { type EventStreamOptions, eventStream, readData } from './event-stream.js'

/** What {@link sessionStream} takes. */
export interface SessionStreamOptions extends Pick<
  EventStreamOptions<SessionEvent>,
  'target' | 'request' | 'hasEnded' | 'signal' | 'reconnect' | 'reached'
> {
  /** Only events after this sequence number. */
  afterSeq: number | undefined
}

/** Streams the events of one session until `ended`. @throws {ApiClientError} as {@link eventStream} */
export function sessionStream({ afterSeq, ...options }: SessionStreamOptions): AsyncIterable<SessionEvent> {
  return eventStream<SessionEvent>({
    ...options,
    start: () => Promise.resolve(afterSeq?.toString()),
    read(message, lastId) {
      if (message.event !== 'progress' && !RecordType.safeParse(message.event).success) return undefined
      const event = readData(options.target, message, (data) => SessionEvent.parse(data))
      if (event.seq !== null && lastId !== undefined && event.seq <= Number(lastId)) return undefined
      return { id: event.seq?.toString() ?? null, event }
    },
    isLast: (event) => event.type === 'ended',
  })
}
