import { WireClient, type Json } from '../support/wire-client.js'
import { IdPairs, compareMessages, type Difference } from './comparison.js'
import { asObject, requestOf, statusOf, type Line } from './recording.js'

/** Nothing is taken to come when it has not come after this many milliseconds. */
const PATIENCE = 1000

/** An answer over HTTP. */
interface Answer {
  status: number
  body: string
}

/** Plays the clients' side of a recording against a server, in the recorded order, and compares what the server does. */
export class ServerPlayer {
  readonly differences: Difference[] = []
  readonly #url: string
  readonly #key: string
  readonly #ids = new IdPairs()
  readonly #clients = new Map<number, WireClient>()
  readonly #handshakes = new Map<number, number>()
  readonly #answers = new Map<number, Promise<Answer>[]>()
  /** Connections whose end was played, by either side. */
  readonly #ended = new Set<number>()
  readonly #last = new Map<number, string>()
  readonly #sent: Json[] = []

  /** @param url of the server, `http://…` @param key the recorded one, which is the server's too */
  constructor(url: string, key: string) {
    this.#url = url
    this.#key = key
  }

  async play(lines: readonly Line[]): Promise<Difference[]> {
    try {
      for (const line of lines) {
        if (line.dir === 'c2s') await this.#act(line)
        else await this.#expect(line)
      }
      for (const [conn, client] of this.#clients) {
        for (const message of client.pending()) this.#differ(conn, 'frame', null, message, message['type'])
      }
      return this.differences
    } finally {
      for (const client of this.#clients.values()) client.terminate()
      await Promise.allSettled([...this.#answers.values()].flat())
    }
  }

  async #act(line: Line): Promise<void> {
    const { conn } = line
    const client = this.#clients.get(conn)
    switch (line.ev) {
      case 'http_request':
        return this.#request(line)
      case 'msg':
        this.#last.set(conn, line.raw ?? '')
        this.#sent.push(asObject(line.raw))
        if (this.#ended.has(conn)) return
        return client?.sendRaw(line.hex === undefined ? this.#translated(line.raw ?? '') : Buffer.from(line.hex, 'hex'))
      case 'close':
        if (!this.#ended.has(conn)) client?.close(line.code)
        return
      case 'tcp_eof':
        if (this.#ended.has(conn) || client === undefined) return
        this.#ended.add(conn)
        client.terminate()
        return this.#untilGone(String(asObject(this.#last.get(conn))['client_id']))
      case 'tcp_open':
      case 'http_response':
      case 'ping':
      case 'pong':
    }
  }

  /** The recordings continue when the server has noticed that a client vanished and has ended what hung on it. */
  async #untilGone(clientId: string): Promise<void> {
    const end = Date.now() + PATIENCE
    while (Date.now() < end) {
      const clients = (await this.#get('/api/clients'))['online_clients'] as string[]
      const devices = (await this.#get('/api/devices'))['devices'] as Json[]
      if (!clients.includes(clientId) && devices.every(({ status }) => status !== 'busy')) return
    }
  }

  async #get(path: string): Promise<Json> {
    return asObject((await send(this.#url + path, 'GET', { 'x-api-key': this.#key }, undefined)).body)
  }

  /** A recorded message with the ids of this run. Ids that the client made itself stay as they are. */
  #translated(raw: string): string {
    const message = asObject(raw)
    for (const field of ['session_id', 'request_id', 'task_name']) {
      const id = message[field]
      if (typeof id === 'string' && !this.#ids.knows(id)) this.#ids.bind(id, id)
    }
    return this.#ids.translate(raw)
  }

  async #request(line: Line): Promise<void> {
    const { method, path, headers } = requestOf(line)
    if (headers['upgrade'] !== undefined) {
      const status = await this.#open(line.conn, path, headers['authorization'])
      this.#handshakes.set(line.conn, status)
      return
    }
    this.#last.set(line.conn, `${method} ${path} ${line.body ?? ''}`)
    const queue = this.#answers.get(line.conn) ?? []
    queue.push(send(this.#url + path, method, headers, line.body))
    this.#answers.set(line.conn, queue)
  }

  async #open(conn: number, path: string, authorization: string | undefined): Promise<number> {
    try {
      this.#clients.set(conn, await WireClient.open(this.#url + path, authorization === undefined ? {} : { authorization }))
      return 101
    } catch (error) {
      return Number(/\d{3}$/.exec(String(error))?.[0])
    }
  }

  async #expect(line: Line): Promise<void> {
    const { conn } = line
    if (line.ev === 'http_response') return this.#expectAnswer(line)
    if (this.#ended.has(conn) || !this.#clients.has(conn)) return
    if (line.ev === 'msg') await this.#expectMessage(conn, asObject(line.raw))
    else if (line.ev === 'close') await this.#expectEnd(conn, line.code ?? 0)
    else if (line.ev === 'tcp_eof') await this.#expectEnd(conn, 1006)
  }

  async #expectMessage(conn: number, recorded: Json): Promise<void> {
    for (;;) {
      const frame = (await this.#clients.get(conn)?.nextWithin(PATIENCE)) ?? null
      if (frame === null || 'close' in frame) {
        this.#differ(conn, 'frame', recorded, frame, recorded['type'])
        if (frame !== null) this.#ended.add(conn)
        return
      }
      const { message } = frame
      if (message['type'] !== recorded['type'] && message['type'] === 'task_end') {
        // One more than was recorded; the recorded one may come after it.
        this.#differ(conn, 'frame', null, message, message['type'])
        continue
      }
      for (const { field, ...values } of compareMessages(recorded, message, this.#ids)) {
        this.#differ(conn, field, values.recorded, values.played, recorded['type'])
        if (field === 'session_id') this.#ids.bind(String(values.recorded), String(values.played))
      }
      return
    }
  }

  async #expectEnd(conn: number, code: number): Promise<void> {
    this.#ended.add(conn)
    for (;;) {
      const frame = (await this.#clients.get(conn)?.nextWithin(PATIENCE)) ?? null
      if (frame !== null && 'close' in frame) {
        if (frame.close.code !== code) this.#differ(conn, 'close', code, frame.close.code, null)
        return
      }
      this.#differ(conn, 'frame', null, frame?.message ?? null, frame?.message['type'])
      if (frame?.message['type'] !== 'error') break
    }
    this.#clients.get(conn)?.close()
    await this.#clients.get(conn)?.nextWithin(PATIENCE)
  }

  async #expectAnswer(line: Line): Promise<void> {
    const handshake = this.#handshakes.get(line.conn)
    const status = statusOf(line)
    if (handshake !== undefined) {
      this.#handshakes.delete(line.conn)
      if (handshake !== status) this.#differ(line.conn, 'http', status, handshake, null)
      return
    }
    const answer = await this.#answers.get(line.conn)?.shift()
    if (answer?.status !== status) return this.#differ(line.conn, 'http', status, answer?.status, line.body)
    for (const { field, recorded, played } of compareAnswers(status, line.body, answer.body, this.#ids)) {
      this.#differ(line.conn, `http.${field}`, recorded, played, null)
    }
  }

  #differ(conn: number, field: string, recorded: unknown, played: unknown, type: unknown): void {
    const afterRaw = this.#last.get(conn) ?? ''
    this.differences.push({ conn, field, recorded, played, type, after: asObject(afterRaw), afterRaw, sent: this.#sent })
  }
}

/** Compares the bodies of two answers of this status; of an error its text counts, if it was not made by a validator. */
export function compareAnswers(status: number, recorded = '', played: string, ids: IdPairs): ReturnType<typeof compareMessages> {
  const [wanted, given] = [asObject(recorded), asObject(played)]
  if (status === 200) return compareMessages(wanted, given, ids)
  if (typeof wanted['detail'] !== 'string' || wanted['detail'] === given['detail']) return []
  return [{ field: 'detail', recorded: wanted['detail'], played: given['detail'] }]
}

/** Headers that `fetch` makes itself. */
const OWN_HEADERS = new Set(['host', 'connection', 'content-length', 'accept-encoding', 'transfer-encoding'])

/** One call of the HTTP API, as it was recorded. */
export async function send(
  url: string,
  method: string,
  headers: Record<string, string>,
  body: string | undefined,
): Promise<Answer> {
  const kept = Object.entries(headers).filter(([name]) => !OWN_HEADERS.has(name))
  const hasBody = body !== undefined && body !== '' && method !== 'GET' && method !== 'HEAD'
  const response = await fetch(url, {
    method,
    redirect: 'manual',
    headers: Object.fromEntries(kept),
    ...(hasBody ? { body } : {}),
  })
  return { status: response.status, body: await response.text() }
}
