import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { WebSocketServer, type WebSocket } from 'ws'
import type { Json } from '../../../test/support/wire-client.js'

/** The 14 fields of a message to a client, unset. */
const BLANK: Json = {
  type: 'heartbeat',
  status: 'ok',
  user_request: null,
  agent_name: null,
  process_name: null,
  root_name: null,
  actions: null,
  messages: null,
  error: null,
  session_id: null,
  task_name: null,
  timestamp: '2026-11-20T23:39:51.856496+00:00',
  response_id: 'ba33fabd-930a-464c-80e8-d49dd95ce30e',
  result: null,
}

/** A server as existing peers have it: no negotiation, errors without ids. It says what a test tells it to. */
export class ExistingServer implements AsyncDisposable {
  readonly #server: WebSocketServer
  readonly #connections: ExistingConnection[] = []
  #wake: () => void = () => {}

  private constructor(server: WebSocketServer) {
    this.#server = server
    server.on('connection', (socket) => {
      this.#connections.push(new ExistingConnection(socket))
      this.#wake()
    })
  }

  static async listen(): Promise<ExistingServer> {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
    await once(server, 'listening')
    return new ExistingServer(server)
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}/ws?token=key`
  }

  /** The next connection, after its registration was confirmed. @param result what the confirmation carries */
  async registered(result: Json | null = null): Promise<ExistingConnection> {
    while (this.#connections.length === 0) await new Promise<void>((resolve) => (this.#wake = resolve))
    const connection = this.#connections.shift()
    if (connection === undefined) throw new Error('no connection')
    connection.registration = await connection.next()
    connection.say({ result })
    return connection
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#server.clients) client.terminate()
    this.#server.close()
    await once(this.#server, 'close')
  }
}

/** One connection to an {@link ExistingServer}. */
export class ExistingConnection {
  registration: Json = {}
  readonly closed: Promise<number>
  readonly #socket: WebSocket
  readonly #frames: Json[] = []
  #wake: () => void = () => {}

  constructor(socket: WebSocket) {
    this.#socket = socket
    socket.on('message', (data: Buffer) => {
      this.#frames.push(JSON.parse(data.toString()) as Json)
      this.#wake()
    })
    this.closed = new Promise((resolve) => socket.on('close', resolve))
  }

  async next(): Promise<Json> {
    while (this.#frames.length === 0) await new Promise<void>((resolve) => (this.#wake = resolve))
    return this.#frames.shift() ?? {}
  }

  /** What came and was not taken. */
  get pending(): readonly Json[] {
    return this.#frames
  }

  say(fields: Json): void {
    this.#socket.send(JSON.stringify({ ...BLANK, ...fields }))
  }

  drop(): void {
    this.#socket.terminate()
  }
}
