import { once } from 'node:events'
import type { Readable, Writable } from 'node:stream'
import { LIMITS, PINGS_PER_SILENCE, TerminalControl, terminalFrame, type TerminalReport, type Transport } from '@orrery/aip'
import type { ProcessGroup } from '../process/process-group.js'
import { resizeTerminal } from '../tools/shell/terminal.js'

/** The connection of an interactive terminal: bytes in binary frames, everything else as JSON in text frames. */
export class TerminalConnection {
  readonly #transport: Transport

  constructor(transport: Transport) {
    this.#transport = transport
    transport.setKeepAlive(LIMITS.resumeSilence / PINGS_PER_SILENCE, LIMITS.resumeSilence)
  }

  /** @throws AipError if the connection has ended */
  report(report: TerminalReport): Promise<void> {
    return this.#transport.send(JSON.stringify(report))
  }

  /**
   * Connects a program to its operator until it has ended, and reports the end. Neither side gets more than it takes.
   * @throws AipError `CONNECTION_CLOSED` or `SEND_FAILED` if the connection ends first
   */
  async serve(group: ProcessGroup): Promise<void> {
    const { stdin, stdout, stderr } = group.child
    const started = this.report({ type: 'started' })
    started.catch(() => {})
    const outputs = [stdout, stderr].map((stream) => (stream === null ? Promise.resolve() : this.#passOn(stream, group)))
    if (stdin !== null) void this.#read(stdin, group)
    const { code, signal } = await group.ended
    await Promise.all(outputs)
    await this.report({ type: 'ended', exit_code: code, signal })
  }

  /** Sends what a program prints: while it runs, the next piece is read once the one before has left. */
  async #passOn(stream: Readable, group: ProcessGroup): Promise<void> {
    let sent = Promise.resolve()
    const { child } = group
    // A short program may have ended before anyone listens.
    let over = child.exitCode !== null || child.signalCode !== null
    stream.on('data', (chunk: Buffer) => {
      sent = sent.then(() => this.#transport.send(chunk))
      sent.catch(() => {})
      // What is left once it has ended is no more than its pipe holds, and is soon lost.
      if (over) return
      stream.pause()
      const resume = (): unknown => stream.resume()
      sent.then(resume, resume)
    })
    child.once('exit', () => {
      over = true
      stream.resume()
    })
    if (!stream.closed) await once(stream, 'close')
    await sent
  }

  /** Never throws. */
  async #read(stdin: Writable, group: ProcessGroup): Promise<void> {
    // A program that ends without reading its input.
    stdin.on('error', () => {})
    try {
      for (;;) {
        const frame = await this.#transport.receive()
        if (typeof frame === 'string') await this.#control(frame, group)
        else if (!stdin.writable) return
        else if (!stdin.write(frame)) await Promise.race([once(stdin, 'drain'), group.ended])
      }
    } catch {
      // The connection has ended, which ends the program too.
    }
  }

  async #control(frame: string, group: ProcessGroup): Promise<void> {
    const size = terminalFrame(TerminalControl, frame)
    const session = size === null ? null : await group.session
    if (size !== null && session !== null) await resizeTerminal(session, size)
  }
}
