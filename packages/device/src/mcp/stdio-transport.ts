import type { JSONRPCMessage, ReadBuffer, Transport } from '@modelcontextprotocol/client'
import type { Clock } from '@orrery/aip'
import { ProcessGroup, type ProcessEnd } from '../process/process-group.js'
import { DEVICE_LIMITS } from '../limits.js'

/** A program that speaks MCP over its standard input and output. */
export interface Program {
  command: string
  args: readonly string[]
  env: Record<string, string>
  cwd: string | undefined
}

/** What the transport needs of the MCP SDK, which is loaded late. */
export interface WireFormat {
  buffer: ReadBuffer
  serialize(message: JSONRPCMessage): string
}

/** MCP over the pipes of a child process that leads its own process group, so that everything it starts ends with it. */
export class StdioTransport implements Transport {
  onmessage?: ((message: JSONRPCMessage) => void) | undefined
  onerror?: ((error: Error) => void) | undefined
  onclose?: (() => void) | undefined
  readonly #program: Program
  readonly #wire: WireFormat
  readonly #clock: Clock
  readonly #onStderr: (line: string) => void
  #group: ProcessGroup | null = null
  #end: ProcessEnd | null = null
  #stderr = ''
  #delivered: Promise<void> = Promise.resolve()

  /** @param onStderr gets what the program prints on its standard error */
  constructor(program: Program, wire: WireFormat, clock: Clock, onStderr: (text: string) => void) {
    this.#program = program
    this.#wire = wire
    this.#clock = clock
    this.#onStderr = onStderr
  }

  /** Starts the program. @throws the system's error when it cannot be started */
  async start(): Promise<void> {
    const { command, args, env, cwd } = this.#program
    const group = new ProcessGroup(command, args, { cwd, env, stdio: 'pipe' }, this.#clock, { endsDaemons: true })
    this.#group = group
    group.child.stdout?.on('data', (chunk: Buffer) => this.#read(chunk))
    group.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-DEVICE_LIMITS.mcpStderrKept)
      this.#onStderr(text)
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
    const { buffer } = this.#wire
    try {
      buffer.append(chunk)
    } catch (error) {
      // The message is too long: what follows cannot be read.
      this.#report(error)
      void this.close()
      return
    }
    while (this.#readOne(buffer));
  }

  /** Reads the next message, if a whole one has come. Other lines, such as a log line on the wrong stream, are ignored. */
  #readOne(buffer: ReadBuffer): boolean {
    try {
      const message = buffer.readMessage()
      if (message === null) return false
      // One by one: a result that is handled in the same turn as the progress before it would make the SDK drop the progress.
      this.#delivered = this.#deliverAfter(this.#delivered, message)
    } catch (error) {
      this.#report(error)
    }
    return true
  }

  #report(error: unknown): void {
    this.onerror?.(error instanceof Error ? error : new Error(String(error)))
  }
}
