import { WebSocket } from 'ws'

/** A message as JSON. */
export type Json = Record<string, unknown>

/** The 14 fields of a message to the server, unset. */
const BLANK: Json = {
  type: null,
  status: 'ok',
  client_type: 'device',
  session_id: null,
  task_name: null,
  client_id: null,
  target_id: null,
  request: null,
  action_results: null,
  timestamp: '2026-11-20T23:38:04.240+00:00',
  request_id: null,
  prev_response_id: null,
  error: null,
  metadata: null,
}

/** What comes from the server: a message, or the end. */
export type Frame = { message: Json } | { close: { code: number; reason: string } }

/** The answer of a device that lists nothing to the question for its tools, which comes once a connection; null for any other message. */
export function emptyToolList({ type, session_id, response_id, actions }: Json): Json | null {
  // A connection in the dialect of the documents has upper-case names.
  const [action] = String(type).toLowerCase() === 'command' ? (actions as Json[]) : []
  if (action?.['tool_name'] !== 'list_tools' || Object.keys(action['parameters'] as Json).length > 0) return null
  const result = { status: 'success', error: null, result: [], namespace: null, call_id: action['call_id'] }
  return { type: 'command_results', status: 'continue', session_id, prev_response_id: response_id, action_results: [result] }
}

/**
 * A bare WebSocket client that speaks the wire as existing peers do. Knows nothing of Orrery's code. It answers the question for its tools by
 * itself: it lists none.
 */
export class WireClient {
  readonly #socket: WebSocket
  readonly #frames: Frame[] = []
  /** Whether the test answers the question for the tools. */
  showsListing = false
  #wake: (() => void) | null = null
  /** As registered; existing peers name themselves in every message. */
  #clientId: unknown = null

  private constructor(socket: WebSocket) {
    this.#socket = socket
    socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString()) as Json
      const list = this.showsListing ? null : emptyToolList(message)
      if (list === null) this.#put({ message })
      else this.send(list)
    })
    socket.on('close', (code: number, reason: Buffer) => this.#put({ close: { code, reason: reason.toString() } }))
  }

  /** @param url of the server, `http://…`. Rejects with the status of a refused handshake in the message. */
  static connect(url: string, token: string): Promise<WireClient> {
    return WireClient.open(`${url}/ws?token=${token}`)
  }

  /** Like {@link connect}, with the whole address. */
  static async open(url: string, headers: Record<string, string> = {}): Promise<WireClient> {
    const socket = new WebSocket(url.replace('http', 'ws'), { perMessageDeflate: false, headers })
    const client = new WireClient(socket)
    await new Promise<void>((resolve, reject) => {
      socket.once('open', resolve)
      socket.once('error', reject)
    })
    return client
  }

  /** Connects and registers; the confirmation is taken. */
  static async register(url: string, token: string, fields: Json): Promise<WireClient> {
    const client = await WireClient.connect(url, token)
    client.send({
      type: 'register',
      metadata: { platform: 'linux', system_info: { device_id: fields['client_id'], platform: 'linux' } },
      ...fields,
    })
    const reply = await client.next()
    if (reply['status'] !== 'ok') throw new Error(`registration refused: ${String(reply['error'])}`)
    return client
  }

  /** Sends a message with all 14 fields. */
  send(fields: Json): void {
    if (/^register$/i.test(String(fields['type']))) this.#clientId = fields['client_id']
    this.sendRaw(JSON.stringify({ ...BLANK, client_id: this.#clientId, ...fields }))
  }

  sendRaw(data: string | Uint8Array): void {
    this.#socket.send(data)
  }

  /** Answers a command with one success per action. */
  answer(command: Json, result: unknown = 'ok'): void {
    const actions = command['actions'] as Json[]
    this.send({
      type: 'command_results',
      status: 'continue',
      session_id: command['session_id'],
      prev_response_id: command['response_id'],
      action_results: actions.map((action) => ({
        status: 'success',
        error: null,
        result,
        namespace: 'Test',
        call_id: action['call_id'],
      })),
    })
  }

  /** The next message. Throws if the connection closes instead. */
  async next(): Promise<Json> {
    const frame = await this.#take()
    if ('close' in frame) throw new Error(`closed with ${frame.close.code} ${frame.close.reason}`)
    return frame.message
  }

  /** The close that comes next. Throws if a message comes instead. */
  async nextClose(): Promise<{ code: number; reason: string }> {
    const frame = await this.#take()
    if ('message' in frame) throw new Error(`message instead of close: ${JSON.stringify(frame.message)}`)
    return frame.close
  }

  /** What comes next; null if nothing comes within this many milliseconds. */
  nextWithin(ms: number): Promise<Frame | null> {
    return this.#take(ms)
  }

  /** Everything that came so far and was not taken. */
  pending(): Json[] {
    return this.#frames.flatMap((frame) => ('message' in frame ? [frame.message] : []))
  }

  /** Stops reading from the socket: what the server sends piles up there. */
  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  close(code = 1000, reason = ''): void {
    this.#socket.close(code, reason)
  }

  /** Cuts the TCP connection. */
  terminate(): void {
    this.#socket.terminate()
  }

  #put(frame: Frame): void {
    this.#frames.push(frame)
    this.#wake?.()
  }

  async #take(): Promise<Frame>
  async #take(ms: number): Promise<Frame | null>
  async #take(ms?: number): Promise<Frame | null> {
    const timer = ms === undefined ? undefined : setTimeout(() => this.#wake?.(), ms)
    try {
      while (this.#frames.length === 0) {
        const late = await new Promise<boolean>((resolve) => {
          this.#wake = (): void => resolve(this.#frames.length === 0)
        })
        if (late) return null
      }
      return this.#frames.shift() ?? null
    } finally {
      clearTimeout(timer)
    }
  }
}
