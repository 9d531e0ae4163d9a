import { setTimeout as sleep } from 'node:timers/promises'

/** A session as far as the harness looks at it. */
export interface SessionState {
  session_id: string
  task_name: string
  status: string
  error: string | null
  result: unknown
  ended_at: string | null
}

/** One event of a session. */
export interface SessionEvent {
  type: string
  data: Record<string, unknown>
}

/** No answer may take longer, in milliseconds. A server that is stopped answers when it resumes. */
const ANSWER_TIME = 15_000

/** The server's HTTP API. */
export class Api {
  readonly #url: string
  readonly #key: string

  constructor(url: string, key: string) {
    this.#url = url
    this.#key = key
  }

  /** Returns whether the server answers. */
  async ready(): Promise<boolean> {
    return fetch(`${this.#url}/readyz`, { signal: AbortSignal.timeout(2000) }).then(
      async (response) => {
        await response.arrayBuffer()
        return response.ok
      },
      () => false,
    )
  }

  /** Reads something. A server that is being started again is asked again, for half a minute. @throws when there is no answer even then */
  async read(path: string): Promise<{ status: number; body: unknown }> {
    const limit = Date.now() + ANSWER_TIME * 2
    for (;;) {
      try {
        return await this.call(path)
      } catch (error) {
        if (Date.now() > limit) throw error
        await sleep(100)
      }
    }
  }

  /** @returns status and body @throws when there is no answer */
  async call(path: string, body?: unknown): Promise<{ status: number; body: unknown }> {
    const response = await fetch(this.#url + path, {
      headers: { 'x-api-key': this.#key, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      signal: AbortSignal.timeout(ANSWER_TIME),
      ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
    })
    const isJson = response.headers.get('content-type')?.includes('json') === true
    return { status: response.status, body: await (isJson ? response.json() : response.text()) }
  }

  /** The events of a session that has ended. */
  async events(sessionId: string): Promise<SessionEvent[]> {
    const { body: text } = await this.read(`/api/sessions/${sessionId}/events`)
    return [...String(text).matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(data ?? '') as SessionEvent)
  }

  /** Ids of the devices that are online. */
  async online(): Promise<Set<string>> {
    const { body } = await this.call('/api/devices')
    const { devices } = body as { devices: { device_id: string; status: string }[] }
    return new Set(devices.flatMap(({ device_id: id, status }) => (status === 'offline' ? [] : [id])))
  }
}
