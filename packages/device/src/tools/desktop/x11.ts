import { aipError, type Clock } from '@orrery/aip'
import { plainEnvironment, type Environment } from '../../process/child-environment.js'
import { findProgram } from '../../process/find-program.js'
import { runProcess } from '../../process/run-process.js'
import { DESKTOP_LIMITS } from './limits.js'
import { deviceError } from '../../errors.js'

/** The packages that have the helper programs, for error messages. */
const PACKAGES = { xdotool: 'xdotool', import: 'imagemagick', convert: 'imagemagick' } as const

/** A helper program. */
export type Helper = keyof typeof PACKAGES

/** Returns whether this machine has a screen that the desktop tools can use: one of X11, which most Wayland desktops have too. */
export function hasDisplay(env: Environment): boolean {
  return process.platform === 'linux' && (env['DISPLAY'] ?? '') !== ''
}

/** The screen of this machine, by Debian's usual programs. */
export class X11 {
  readonly #env: Environment
  readonly #clock: Clock

  constructor(env: Environment, clock: Clock) {
    this.#env = env
    this.#clock = clock
  }

  /**
   * Runs a helper program until it ends. Its arguments reach it unchanged.
   * @returns what it printed
   * @throws AipError `NOT_SUPPORTED` without a display or the program, `TOOL_FAILED` with what it said, `TOOL_CANCELLED`, `TIMEOUT`
   */
  async run(helper: Helper, args: readonly string[], signal: AbortSignal, stdin?: string | Buffer): Promise<Buffer> {
    const what = 'The desktop'
    if (!hasDisplay(this.#env))
      throw deviceError('NOT_SUPPORTED', { what, detail: 'there is no X11 display (DISPLAY is not set)' })
    const file = await findProgram(helper, this.#env)
    if (file === null) {
      const detail = `the program '${helper}' is missing; install the package ${PACKAGES[helper]} (Debian: apt-get install ${PACKAGES[helper]})`
      throw deviceError('NOT_SUPPORTED', { what, detail })
    }
    const chunks: Buffer[] = []
    let size = 0
    const authority = this.#env['XAUTHORITY']
    const outcome = await runProcess({
      file,
      args,
      env: plainEnvironment(this.#env, authority === undefined ? {} : { XAUTHORITY: authority }),
      timeoutMs: DESKTOP_LIMITS.time,
      clock: this.#clock,
      signal,
      stdin,
      onOutput: (stream, chunk) => {
        size += chunk.length
        if (stream === 'stdout' && size <= DESKTOP_LIMITS.fullPicture) chunks.push(chunk)
      },
    })
    if (outcome.ended === 'cancelled') throw aipError('TOOL_CANCELLED')
    if (outcome.ended === 'timeout') throw aipError('TIMEOUT', { operation: helper, seconds: DESKTOP_LIMITS.time / 1000 })
    if (outcome.exitCode !== 0)
      throw deviceError('TOOL_FAILED', { tool: helper, detail: outcome.stderr.trim() || `exit code ${outcome.exitCode}` })
    if (size > DESKTOP_LIMITS.fullPicture) throw aipError('FILE_TOO_LARGE', { size, limit: DESKTOP_LIMITS.fullPicture })
    return Buffer.concat(chunks)
  }

  /** Like {@link run} with xdotool. @returns what it printed, as text */
  async xdotool(args: readonly (string | number)[], signal: AbortSignal, stdin?: string): Promise<string> {
    return (await this.run('xdotool', args.map(String), signal, stdin)).toString()
  }
}
