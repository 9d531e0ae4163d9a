import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { WebSocketServer, type WebSocket } from 'ws'
import type { ManualClock } from '../support/manual-clock.js'
import type { Json } from '../support/wire-client.js'
import { IdPairs, compareMessages, type Difference } from './comparison.js'
import { asObject, requestOf, statusOf, type Line } from './recording.js'

/** A client that sends nothing for this many milliseconds waits for its clock. */
const QUIET = 300
/** Longer than anything that a recorded client waits for, in seconds of its clock. */
const MOST_SECONDS = 600

/** An upgrade that waits for its answer. */
interface Upgrade {
  request: IncomingMessage
  socket: Duplex
  head: Buffer
}

/** One connection of the client. */
interface Connection {
  socket: WebSocket
  frames: Json[]
  /** The last message of this side. */
  last: string
}

/** Plays the server's side of a recording to a client that dials it, and compares what the client sends. */
export class ClientPlayer implements AsyncDisposable {
  readonly differences: Difference[] = []
  readonly #http: Server
  readonly #sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false })
  readonly #clock: ManualClock
  readonly #ids = new IdPairs()
  readonly #upgrades: Upgrade[] = []
  readonly #opening = new Map<number, Upgrade>()
  readonly #connections = new Map<number, Connection>()
  #wake: () => void = () => {}

  private constructor(http: Server, clock: ManualClock) {
    this.#http = http
    this.#clock = clock
    http.on('connection', (socket) => socket.on('error', () => socket.destroy()))
    http.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      // Existing servers look for a key in the address alone, so a client of Orrery dials them a second time.
      if (request.headers.authorization !== undefined) {
        return void socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n')
      }
      this.#upgrades.push({ request, socket, head })
      this.#wake()
    })
  }

  /** @param clock of the client: it is moved when the client has nothing to do but wait */
  static async listen(clock: ManualClock): Promise<ClientPlayer> {
    const http = createServer()
    http.listen(0, '127.0.0.1')
    await once(http, 'listening')
    return new ClientPlayer(http, clock)
  }

  /** The address that the client dials. */
  get url(): string {
    return `ws://127.0.0.1:${(this.#http.address() as AddressInfo).port}/ws`
  }

  /** @param lines of the client's connections only */
  async play(lines: readonly Line[]): Promise<Difference[]> {
    for (const line of lines) {
      if (line.ev === 'http_request') await this.#expectUpgrade(line)
      else if (line.ev === 'http_response') await this.#answerUpgrade(line)
      else if (line.ev === 'msg' && line.dir === 's2c') this.#say(line)
      else if (line.ev === 'msg') await this.#expectMessage(line)
      else if (line.ev === 'close' && line.dir === 's2c') this.#connections.get(line.conn)?.socket.close(line.code)
    }
    return this.differences
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { socket } of this.#connections.values()) socket.terminate()
    for (const { socket } of this.#upgrades) socket.destroy()
    this.#http.closeAllConnections()
    this.#http.close()
    await once(this.#http, 'close')
  }

  async #expectUpgrade(line: Line): Promise<void> {
    const upgrade = await this.#come(() => this.#upgrades.shift())
    this.#opening.set(line.conn, upgrade)
    const { method, path } = requestOf(line)
    const played = `${upgrade.request.method} ${upgrade.request.url}`
    if (played !== `${method} ${path}`) this.#differ(line.conn, 'http', `${method} ${path}`, played, null)
  }

  async #answerUpgrade(line: Line): Promise<void> {
    const upgrade = this.#opening.get(line.conn)
    if (upgrade === undefined) return
    const { request, socket, head } = upgrade
    if (statusOf(line) !== 101) return void socket.end(`${line.head?.[0]}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`)
    const open = Promise.withResolvers<void>()
    this.#sockets.handleUpgrade(request, socket, head, (webSocket) => {
      const connection: Connection = { socket: webSocket, frames: [], last: '' }
      webSocket.on('message', (data: Buffer) => {
        connection.frames.push(asObject(data.toString()))
        this.#wake()
      })
      this.#connections.set(line.conn, connection)
      open.resolve()
    })
    await open.promise
  }

  #say({ conn, raw = '' }: Line): void {
    const connection = this.#connections.get(conn)
    if (connection === undefined) return
    connection.last = raw
    // The ids of this side are the recorded ones.
    for (const id of raw.match(/[0-9a-f-]{36}/g) ?? []) if (!this.#ids.knows(id)) this.#ids.bind(id, id)
    connection.socket.send(this.#ids.translate(raw))
  }

  async #expectMessage({ conn, raw }: Line): Promise<void> {
    const recorded = asObject(raw)
    const connection = this.#connections.get(conn)
    const played = await this.#come(() => connection?.frames.shift())
    for (const found of compareMessages(recorded, played, this.#ids)) {
      this.#differ(conn, found.field, found.recorded, found.played, recorded['type'])
    }
  }

  /** Waits for something from the client; when it is quiet its time moves, for heartbeats and retries. */
  async #come<T>(take: () => T | undefined): Promise<T> {
    for (let second = 0; second < MOST_SECONDS;) {
      const found = take()
      if (found !== undefined) return found
      if (second === 0 && (await this.#hears())) continue
      second += 1
      await this.#clock.advance(1000)
    }
    throw new Error('the client sends nothing more')
  }

  /** Returns whether anything comes before the client counts as quiet. */
  #hears(): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), QUIET)
      this.#wake = (): void => {
        clearTimeout(timer)
        resolve(true)
      }
    })
  }

  #differ(conn: number, field: string, recorded: unknown, played: unknown, type: unknown): void {
    const afterRaw = this.#connections.get(conn)?.last ?? ''
    this.differences.push({ conn, field, recorded, played, type, after: asObject(afterRaw), afterRaw, sent: [] })
  }
}
