import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { SYSTEM_PATH } from '../../policy/shell-policy.js'
import { findProgram } from '../../process/find-program.js'
import { SHELL_LIMITS } from './limits.js'
import type { ReadyCommand } from './command-request.js'
import { deviceError } from '../../errors.js'

/** The size of a terminal, in characters and lines. */
export interface TerminalSize {
  columns: number
  rows: number
}

const USUAL_SIZE: TerminalSize = { columns: SHELL_LIMITS.terminalColumns, rows: SHELL_LIMITS.terminalRows }

/**
 * The same command with a pseudo-terminal around it, by `script` of util-linux: Node has none of its own, and packages that bring one
 * have to be compiled on Linux.
 * @throws AipError `NOT_SUPPORTED` on other systems, or where `script` is missing
 */
export async function inTerminal(command: ReadyCommand, size: TerminalSize = USUAL_SIZE): Promise<ReadyCommand> {
  const what = 'A pseudo-terminal'
  if (process.platform !== 'linux') throw deviceError('NOT_SUPPORTED', { what, detail: 'only Linux has one so far' })
  const script = await findProgram('script', { PATH: SYSTEM_PATH.join(':') })
  if (script === null)
    throw deviceError('NOT_SUPPORTED', { what, detail: "the program 'script' is missing (Debian: package bsdutils)" })
  const { columns, rows } = size
  // `script` itself runs a line with $SHELL; the program gets the variable as it was.
  const shell = command.env['SHELL']
  const variable = shell === undefined ? '' : `SHELL=${quote(shell)}; export SHELL; `
  // `script` takes a line for a shell and nothing else; quoted words reach the program as they are.
  // The program leads its own session, whose number it reports on the file descriptor 3 (see ProcessGroup).
  const line = `echo $$ >&3; exec 3>&-; stty cols ${columns} rows ${rows}; ${variable}exec ${[command.file, ...command.args].map(quote).join(' ')}`
  return {
    file: script,
    args: ['--quiet', '--flush', '--return', '--command', line, '/dev/null'],
    cwd: command.cwd,
    env: { TERM: 'xterm-256color', ...command.env, SHELL: '/bin/sh' },
  }
}

/**
 * Tells the terminal of a session its new size, and the programs in it with it. Does nothing once the session has ended.
 * @param session as its leader has reported it
 */
export async function resizeTerminal(session: number, { columns, rows }: TerminalSize): Promise<void> {
  const device = terminalOf(session)
  const stty = device === null ? null : await findProgram('stty', { PATH: SYSTEM_PATH.join(':') })
  if (device === null || stty === null) return
  // The size belongs to the terminal: any process of its user may set it, and the kernel reports it to the program in front.
  await promisify(execFile)(stty, ['-F', device, 'cols', String(columns), 'rows', String(rows)]).catch(() => {})
}

/** The major number of pseudo-terminals (`/proc/devices`: pts). */
const PTS = 136

/** The terminal that controls a session; null if the session has ended. */
function terminalOf(session: number): string | null {
  try {
    // Field 7 of `stat`; the name of a process, in parentheses, may hold blanks and parentheses itself.
    const fields = readFileSync(`/proc/${session}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')
    const number = Number(fields[4])
    // The minor number is split around the major one (`man 5 proc_pid_stat`).
    const major = (number >> 8) & 0xfff
    return major === PTS ? `/dev/pts/${(number & 0xff) | ((number >> 12) & 0xfff00)}` : null
  } catch {
    return null
  }
}

function quote(word: string): string {
  return `'${word.replaceAll("'", String.raw`'\''`)}'`
}
