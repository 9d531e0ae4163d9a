import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { decodeAnswer, encodeCall, messageLength, type Answer, type MethodCall } from './message.js'

/** The error that the other end answered. */
export class DBusError extends Error {}

/** A connection to a D-Bus message bus of this machine: calls methods and ignores signals. */
export class DBusConnection {
  readonly #socket: Socket
  readonly #waiting = new Map<number, { resolve: (body: unknown[]) => void; reject: (error: Error) => void }>()
  #serial = 0
  #received: Buffer = Buffer.alloc(0)
  #end: Error | null = null

  private constructor(socket: Socket) {
    this.#socket = socket
    const end = (error?: Error): void => this.#fail(error ?? new Error('the D-Bus connection was closed'))
    socket.on('error', end)
    socket.on('close', () => end())
    socket.on('data', (bytes: Buffer) => this.#read(bytes))
  }

  /**
   * Connects.
   * @param addresses as in `DBUS_SESSION_BUS_ADDRESS`; sockets of this machine can be used
   * @throws Error if that fails, with the reason
   */
  static async open(addresses: string): Promise<DBusConnection> {
    const socket = connect(socketPath(addresses))
    // The failure below says more.
    socket.on('error', () => {})
    try {
      await once(socket, 'connect')
      const user = Buffer.from(String(process.getuid?.() ?? 0)).toString('hex')
      socket.write(`\0AUTH EXTERNAL ${user}\r\n`)
      const answer = await firstData(socket)
      if (!answer.startsWith('OK ')) throw new Error(`the bus refused this user: ${answer.trim()}`)
      socket.write('BEGIN\r\n')
    } catch (error) {
      socket.destroy()
      throw error
    }
    const connection = new DBusConnection(socket)
    const bus = { destination: 'org.freedesktop.DBus', path: '/org/freedesktop/DBus', interface: 'org.freedesktop.DBus' }
    await connection.call({ ...bus, member: 'Hello' })
    return connection
  }

  /** Calls a method; calls may be made without waiting for others. @throws DBusError the other end's error; Error if the connection is lost */
  call(call: MethodCall): Promise<unknown[]> {
    if (this.#end !== null) return Promise.reject(this.#end)
    this.#serial += 1
    const serial = this.#serial
    return new Promise((resolve, reject) => {
      this.#waiting.set(serial, { resolve, reject })
      this.#socket.write(encodeCall(call, serial))
    })
  }

  /** Ends it; calls that wait fail. */
  close(): void {
    this.#socket.destroy()
  }

  #read(bytes: Buffer): void {
    try {
      this.#received = this.#received.length === 0 ? bytes : Buffer.concat([this.#received, bytes])
      for (;;) {
        const length = messageLength(this.#received)
        if (length === null || this.#received.length < length) return
        const answer = decodeAnswer(this.#received.subarray(0, length))
        this.#received = this.#received.subarray(length)
        if (answer !== null) this.#settle(answer)
      }
    } catch (error) {
      this.#socket.destroy(error instanceof Error ? error : new Error(String(error)))
    }
  }

  #settle({ to, error, body }: Answer): void {
    const waiting = this.#waiting.get(to)
    this.#waiting.delete(to)
    if (error === null) waiting?.resolve(body)
    else waiting?.reject(new DBusError(typeof body[0] === 'string' ? `${error}: ${body[0]}` : error))
  }

  #fail(error: Error): void {
    this.#end ??= error
    for (const { reject } of this.#waiting.values()) reject(this.#end)
    this.#waiting.clear()
  }
}

async function firstData(socket: Socket): Promise<string> {
  const closed = once(socket, 'close').then(() => Promise.reject(new Error('the bus closed the connection')))
  closed.catch(() => {})
  const [bytes]: unknown[] = await Promise.race([once(socket, 'data'), closed])
  return String(bytes)
}

/** The first of some addresses that is a socket of this machine. @throws Error if there is none */
function socketPath(addresses: string): string {
  for (const address of addresses.split(';')) {
    const [, kind, name] = /^unix:(?:.*,)?(path|abstract)=([^,]+)/.exec(address) ?? []
    if (name !== undefined) return (kind === 'abstract' ? '\0' : '') + decodeURIComponent(name)
  }
  throw new Error(`not an address of a socket: ${addresses}`)
}
