import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { encodeMessage, buildMessage, TO_CLIENT, type Fields } from '@orrery/aip'
import { WebSocketServer, type WebSocket } from 'ws'

type Json = Record<string, unknown>
type Name = (typeof TO_CLIENT)[number]['name']

/** One connection of a device, as the server sees it. */
export class ScriptedConnection {
  readonly frames: Json[] = []
  readonly socket: WebSocket
  /** The path and query that the device dialled. */
  readonly url: string
  readonly headers: IncomingHttpHeaders
  /** Settles with the close code. */
  readonly closed: Promise<number>
  readonly #waiting: { type: string; resolve: (frame: Json) => void }[] = []
  readonly #unread: Json[] = []

  constructor(socket: WebSocket, { url = '', headers }: IncomingMessage) {
    this.socket = socket
    this.url = url
    this.headers = headers
    this.closed = once(socket, 'close').then(([code]) => code as number)
    socket.on('message', (data: Buffer) => {
      const frame = JSON.parse(data.toString()) as Json
      this.frames.push(frame)
      const index = this.#waiting.findIndex(({ type }) => type === frame['type'])
      if (index < 0) this.#unread.push(frame)
      else this.#waiting.splice(index, 1)[0]?.resolve(frame)
    })
  }

  /** The next frame of a type that no test has taken yet. */
  next(type: string): Promise<Json> {
    const index = this.#unread.findIndex((frame) => frame['type'] === type)
    if (index >= 0) return Promise.resolve(this.#unread.splice(index, 1)[0]!)
    return new Promise((resolve) => this.#waiting.push({ type, resolve }))
  }

  /** Sends a message by the name of its record; fields that are not given are filled in. */
  send(name: Name, fields: Json = {}): void {
    const record = TO_CLIENT.find((each) => each.name === name)!
    this.socket.send(encodeMessage(buildMessage(record, fields as Fields<typeof record>, Date.now())))
  }

  /** Takes a registration and confirms it. */
  async accept(result: unknown = null): Promise<Json> {
    const frame = await this.next('register')
    this.send('register_confirm', { result })
    return frame
  }

  /** Sends a batch and waits for its results. */
  async run(actions: Json[], fields: Json = {}): Promise<Json[]> {
    this.command(actions, fields)
    return (await this.next('command_results'))['action_results'] as Json[]
  }

  /** Sends a batch; its calls are c1, c2 and so on. */
  command(actions: Json[], fields: Json = {}): void {
    const numbered = actions.map((action, index) => ({ tool_type: null, parameters: null, call_id: `c${index + 1}`, ...action }))
    const addressee = { agent_name: 'LinuxAgent', process_name: '', root_name: '' }
    this.send('command', { ...addressee, actions: numbered, session_id: 's1', response_id: 'r1', ...fields })
  }
}

/** How a {@link ScriptedServer} behaves. */
export interface ServerBehaviour {
  /** Asked for each connection: true answers 403. Default: none is refused. */
  refuse?: (request: IncomingMessage) => boolean
  /** The header `Server` of what it refuses. */
  name?: string
  /** Whether pings are answered. Default true. */
  autoPong?: boolean
  /** Serves `wss://` with this certificate. */
  tls?: { cert: string; key: string }
}

/** A server that does only what a test says. */
export class ScriptedServer implements AsyncDisposable {
  readonly url: string
  readonly #http: ReturnType<typeof createServer>
  readonly #sockets: WebSocketServer
  readonly #connections: ScriptedConnection[] = []
  readonly #waiting: ((connection: ScriptedConnection) => void)[] = []
  #attempts = 0
  readonly #attemptsWanted: { count: number; resolve: () => void }[] = []

  private constructor(http: ReturnType<typeof createServer>, { refuse, name, autoPong = true, tls }: ServerBehaviour) {
    this.#http = http
    this.url = `${tls === undefined ? 'ws' : 'wss'}://127.0.0.1:${(http.address() as AddressInfo).port}/ws`
    this.#sockets = new WebSocketServer({ noServer: true, autoPong })
    http.on('upgrade', (request, socket, head) => {
      this.#attempts += 1
      for (const wanted of this.#attemptsWanted) if (this.#attempts >= wanted.count) wanted.resolve()
      if (refuse?.(request) === true) {
        const server = name === undefined ? '' : `Server: ${name}\r\n`
        return void socket.end(`HTTP/1.1 403 Forbidden\r\n${server}Content-Length: 0\r\n\r\n`)
      }
      this.#sockets.handleUpgrade(request, socket, head, (websocket) => {
        const connection = new ScriptedConnection(websocket, request)
        const waiting = this.#waiting.shift()
        if (waiting === undefined) this.#connections.push(connection)
        else waiting(connection)
      })
    })
  }

  static async listen(behaviour: ServerBehaviour = {}): Promise<ScriptedServer> {
    const http = behaviour.tls === undefined ? createServer() : createTlsServer(behaviour.tls)
    http.listen(0, '127.0.0.1')
    await once(http, 'listening')
    return new ScriptedServer(http, behaviour)
  }

  /** Number of connections that were tried. */
  get attempts(): number {
    return this.#attempts
  }

  /** The next connection of a device. */
  connection(): Promise<ScriptedConnection> {
    const ready = this.#connections.shift()
    return ready === undefined ? new Promise((resolve) => this.#waiting.push(resolve)) : Promise.resolve(ready)
  }

  /** Settles when `count` connections were tried in all. */
  tried(count: number): Promise<void> {
    if (this.#attempts >= count) return Promise.resolve()
    return new Promise((resolve) => this.#attemptsWanted.push({ count, resolve }))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets.clients) socket.terminate()
    const closed = once(this.#http, 'close')
    this.#http.close()
    this.#http.closeAllConnections()
    await closed
  }
}
