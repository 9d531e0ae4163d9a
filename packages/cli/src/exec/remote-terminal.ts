import { constants } from 'node:os'
import { LIMITS, PINGS_PER_SILENCE, TerminalReport, messageOf, terminalFrame, type Transport } from '@orrery/aip'
import { WebSocketTransport, type ServerTrust } from '@orrery/aip/node'
import { CliError, EXIT } from '../terminal/errors.js'
import { onInterrupt } from '../terminal/interrupt.js'
import { paint } from '../terminal/painted.js'
import { note, restoreScreen, writeScreen } from '../terminal/write.js'
import { EscapeKeys } from './escape-keys.js'

/** A terminal on a device. */
export interface WantedTerminal {
  server: string
  key: string | undefined
  /** What the certificate of the server must be. Default: one that the system trusts. */
  trust: ServerTrust | undefined
  device: string
  /** Left out: the shell of the device's user. */
  program?: string
  args: readonly string[]
  cwd?: string | undefined
}

/** What Ctrl-D types: a terminal has no other end of its input. */
const END_OF_INPUT = Buffer.from([4])

/**
 * Runs a program in a terminal on a device, and this terminal shows it. With a keyboard every key goes there, `~.` at the beginning of a line leaves.
 * @returns the exit code of the program
 * @throws {CliError} with Orrery's own exit code if there is no terminal, or it is lost
 */
export async function remoteTerminal(wanted: WantedTerminal): Promise<number> {
  const { server, key, trust, device } = wanted
  const url = `${server.replace(/^http/i, 'ws')}/api/devices/${encodeURIComponent(device)}/terminal`
  const headers: Record<string, string> = key === undefined ? {} : { authorization: `Bearer ${key}` }
  const transport = await WebSocketTransport.connect(url, { headers, trust, maxFrameBytes: LIMITS.transferFrame }).catch(
    (error: unknown) => {
      throw new CliError(messageOf(error), EXIT.orrery, { cause: error })
    },
  )
  transport.setKeepAlive(LIMITS.resumeSilence / PINGS_PER_SILENCE, LIMITS.resumeSilence)
  const keyboard = new Keyboard(transport)
  const release = onInterrupt(() => keyboard.leave(EXIT.interrupted))
  try {
    const { program = null, args, cwd = null } = wanted
    const { TERM: term } = process.env
    await transport.send(
      JSON.stringify({ type: 'open', program, args, cwd, ...windowSize(), ...(term === undefined ? {} : { term }) }),
    )
    return await shown(transport, keyboard, device)
  } finally {
    release()
    keyboard.end()
    transport.terminate()
  }
}

/** Shows what arrives until the program has ended. */
async function shown(transport: Transport, keyboard: Keyboard, device: string): Promise<number> {
  for (;;) {
    const frame = await transport.receive().catch(() => null)
    if (keyboard.left !== null) return keyboard.left
    if (frame === null) {
      const { reason } = await transport.closed
      throw new CliError(`The terminal on ${device} was lost${reason === '' ? '' : `: ${reason}`}`, EXIT.orrery)
    }
    if (typeof frame !== 'string') {
      await writeScreen(frame)
      continue
    }
    const report = terminalFrame(TerminalReport, frame)
    switch (report?.type) {
      case 'waiting':
        note(paint('dim', `Waiting for approval at ${device}; Ctrl-C stops waiting`))
        break
      case 'started':
        keyboard.begin()
        break
      case 'refused':
        throw new CliError(report.detail, EXIT.orrery)
      case 'ended':
        return report.exit_code ?? 128 + signalNumber(report.signal)
      case undefined:
        break
    }
  }
}

/** Sends what is typed, and the size of the window, while the program runs. */
class Keyboard {
  /** The exit code of a user who has left; null until then. */
  left: number | null = null
  readonly #transport: Transport
  readonly #keys = new EscapeKeys()
  #begun = false

  constructor(transport: Transport) {
    this.#transport = transport
  }

  /** From here on this terminal passes every key on, Ctrl-C too. */
  begin(): void {
    if (this.#begun) return
    this.#begun = true
    const { stdin } = process
    if (stdin.isTTY) stdin.setRawMode(true)
    process.once('exit', this.end)
    stdin.on('data', this.#typed)
    stdin.once('end', this.#ended)
    stdin.resume()
    process.stdout.on('resize', this.#resized)
    // It may have changed since it was sent first.
    this.#resized()
  }

  /** Ends the terminal from here. */
  leave(code: number): void {
    this.left ??= code
    this.#transport.terminate()
  }

  /** Gives this terminal back as it was. */
  readonly end = (): void => {
    const { stdin } = process
    process.off('exit', this.end)
    stdin.off('data', this.#typed)
    stdin.off('end', this.#ended)
    process.stdout.off('resize', this.#resized)
    stdin.pause()
    if (!this.#begun) return
    this.#begun = false
    if (stdin.isTTY) stdin.setRawMode(false)
    restoreScreen()
  }

  readonly #typed = (chunk: Buffer): void => {
    const { bytes, leave } = process.stdin.isTTY ? this.#keys.take(chunk) : { bytes: chunk, leave: false }
    if (leave) return this.leave(EXIT.orrery)
    if (bytes.length === 0) return
    process.stdin.pause()
    const resume = (): unknown => this.left === null && process.stdin.resume()
    this.#transport.send(bytes).then(resume, resume)
  }

  readonly #ended = (): void => {
    this.#transport.send(END_OF_INPUT).catch(() => {})
  }

  readonly #resized = (): void => {
    this.#transport.send(JSON.stringify({ type: 'resize', ...windowSize() })).catch(() => {})
  }
}

function windowSize(): { columns: number; rows: number } {
  const { columns, rows } = process.stdout
  // A terminal that does not know its size says 0.
  return { columns: Math.min(columns || 80, LIMITS.terminalSize), rows: Math.min(rows || 24, LIMITS.terminalSize) }
}

function signalNumber(name: string | null): number {
  return Object.entries(constants.signals).find(([known]) => known === name)?.[1] ?? 0
}
