import { get, type IncomingMessage } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

/** An event of a session as its stream has it. */
interface StreamEvent {
  seq: number | null
  type: string
}

/** A reader of an event stream over HTTP that reads nothing until {@link readToEnd}. */
export class EventReader {
  readonly #url: string
  readonly #key: string
  #response: IncomingMessage | null = null

  constructor(url: string, key: string) {
    this.#url = url
    this.#key = key
  }

  /** Opens the stream and reads nothing of it. Does nothing if the server is away. @param lastId of the last event that was read */
  async open(lastId: string | null = null): Promise<void> {
    const headers = { 'x-api-key': this.#key, ...(lastId === null ? {} : { 'last-event-id': lastId }) }
    this.#response = await new Promise((resolve) => {
      get(this.#url, { headers, agent: false }, resolve).on('error', () => resolve(null))
    })
    this.#response?.on('error', () => {})
  }

  /** Reads the stream to the end of its session; comes back with the last id when it is cut off. @returns undefined without an end in time */
  async readToEnd(limit: number): Promise<StreamEvent[] | undefined> {
    const events: StreamEvent[] = []
    while (Date.now() < limit) {
      try {
        let rest = ''
        for await (const chunk of this.#response ?? []) {
          const parts = (rest + String(chunk)).split('\n\n')
          rest = parts.pop() ?? ''
          for (const part of parts) events.push(...eventsIn(part))
        }
      } catch {
        // It was cut off.
      }
      if (events.at(-1)?.type === 'ended') return events
      await sleep(100)
      await this.open(String(events.findLast(({ seq }) => seq !== null)?.seq ?? 0))
    }
    return undefined
  }

  close(): void {
    this.#response?.destroy()
  }
}

function eventsIn(text: string): StreamEvent[] {
  return [...text.matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(data ?? '') as StreamEvent)
}
