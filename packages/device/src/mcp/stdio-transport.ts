import type { JSONRPCMessage, Transport } from '@modelcontextprotocol/client'
import { messageOf, type Clock } from '@orrery/aip'
import { ProcessGroup, type ProcessEnd } from '../process/process-group.js'
import { DEVICE_LIMITS } from '../limits.js'

const NEWLINE = 0x0a

/** A program that speaks MCP over its standard input and output. */
export interface Program {
  command: string
  args: readonly string[]
  env: Record<string, string>
  cwd: string | undefined
}

/** What the transport needs of the MCP SDK, which is loaded late. */
export interface WireFormat {
  /** @throws if this is not a message */
  parse(value: unknown): JSONRPCMessage
  serialize(message: JSONRPCMessage): string
}

/** What the transport reports. */
export interface StdioEvents {
  /** Gets what the program prints on its standard error. */
  onStderr: (text: string) => void
  /** A line was JSON with an id, but no message. */
  onUnreadable: (id: unknown, reason: string) => void
}

/** MCP over the pipes of a child process that leads its own process group, so that everything it starts ends with it. */
export class StdioTransport implements Transport {
  onmessage?: ((message: JSONRPCMessage) => void) | undefined
  onerror?: ((error: Error) => void) | undefined
  onclose?: (() => void) | undefined
  readonly #program: Program
  readonly #wire: WireFormat
  readonly #clock: Clock
  readonly #events: StdioEvents
  #group: ProcessGroup | null = null
  #end: ProcessEnd | null = null
  #stderr = ''
  #delivered: Promise<void> = Promise.resolve()
  /** The parts of a line that has not ended. */
  #line: Buffer[] = []
  #lineBytes = 0

  constructor(program: Program, wire: WireFormat, clock: Clock, events: StdioEvents) {
    this.#program = program
    this.#wire = wire
    this.#clock = clock
    this.#events = events
  }

  /** Starts the program. @throws the system's error when it cannot be started */
  async start(): Promise<void> {
    const { command, args, env, cwd } = this.#program
    const group = new ProcessGroup(command, args, { cwd, env, stdio: 'pipe' }, this.#clock, { endsDaemons: true })
    this.#group = group
    group.child.stdout?.on('data', (chunk: Buffer) => this.#read(chunk))
    group.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-DEVICE_LIMITS.mcpStderrKept)
      this.#events.onStderr(text)
    })
    // A write to a program that has just ended fails here too; the end itself says more.
    group.child.stdin?.on('error', (error) => this.onerror?.(error))
    void group.ended.then((end) => {
      this.#end = end
      // After the last message, so that an answer is not overtaken by the end.
      void this.#closeAfter(this.#delivered)
    })
    await group.started
  }

  async send(message: JSONRPCMessage): Promise<void> {
    const stdin = this.#group?.child.stdin
    if (!stdin?.writable) throw new Error('the program has ended')
    await new Promise<void>((resolve, reject) => {
      stdin.write(this.#wire.serialize(message), (error) => (error ? reject(error) : resolve()))
    })
  }

  async close(): Promise<void> {
    this.#group?.child.stdin?.end()
    await this.#group?.end()
  }

  /** How the program ended and what it last said on its standard error. */
  describeEnd(): string {
    const { code, signal } = this.#end ?? { code: null, signal: null }
    const how = signal === null ? (code === null ? 'did not start' : `exited with code ${code}`) : `ended by ${signal}`
    const said = this.#stderr.trim()
    return said === '' ? how : `${how}: ${said}`
  }

  async #deliverAfter(before: Promise<void>, message: JSONRPCMessage): Promise<void> {
    await before
    this.onmessage?.(message)
  }

  async #closeAfter(last: Promise<void>): Promise<void> {
    await last
    this.onclose?.()
  }

  #read(chunk: Buffer): void {
    let from = 0
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      this.#line.push(chunk.subarray(from, end))
      const line = Buffer.concat(this.#line).toString().trim()
      this.#line = []
      this.#lineBytes = 0
      from = end + 1
      if (line !== '') this.#readLine(line)
    }
    if (from === chunk.length) return
    this.#line.push(chunk.subarray(from))
    this.#lineBytes += chunk.length - from
    if (this.#lineBytes <= DEVICE_LIMITS.mcpMessage) return
    // What follows cannot be read.
    this.#report(new Error(`a message is longer than ${DEVICE_LIMITS.mcpMessage / 1024 ** 2} MiB`))
    this.#line = []
    void this.close()
  }

  /** Reads one message. Other lines, such as a log line on the wrong stream, are ignored. */
  #readLine(line: string): void {
    let value: unknown
    try {
      value = JSON.parse(line)
      const message = this.#wire.parse(withoutNullMeta(value))
      // One by one: a result that is handled in the same turn as the progress before it would make the SDK drop the progress.
      this.#delivered = this.#deliverAfter(this.#delivered, message)
    } catch (error) {
      this.#report(error)
      const id = value !== null && typeof value === 'object' && 'id' in value && !('method' in value) ? value.id : undefined
      if (id !== undefined)
        this.#events.onUnreadable(id, `the server's answer cannot be read: ${line.slice(0, DEVICE_LIMITS.loggedValue)}`)
    }
  }

  #report(error: unknown): void {
    this.onerror?.(error instanceof Error ? error : new Error(messageOf(error)))
  }
}

/** Programs in languages without optional fields write all of them; only this one makes a message unreadable as a whole. */
function withoutNullMeta(value: unknown): unknown {
  if (value === null || typeof value !== 'object' || !('result' in value)) return value
  const { result } = value
  if (result === null || typeof result !== 'object' || !('_meta' in result) || result._meta !== null) return value
  const { _meta, ...rest } = result
  return { ...value, result: rest }
}
