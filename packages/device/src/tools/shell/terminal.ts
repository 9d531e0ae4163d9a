import { SYSTEM_PATH } from '../../policy/shell-policy.js'
import { findProgram } from '../../process/find-program.js'
import { SHELL_LIMITS } from './limits.js'
import type { ReadyCommand } from './command-request.js'
import { deviceError } from '../../errors.js'

/**
 * The same command with a pseudo-terminal around it, by `script` of util-linux: Node has none of its own, and packages that bring one
 * have to be compiled on Linux.
 * @throws AipError `NOT_SUPPORTED` on other systems, or where `script` is missing
 */
export async function inTerminal(command: ReadyCommand): Promise<ReadyCommand> {
  const what = 'A pseudo-terminal'
  if (process.platform !== 'linux') throw deviceError('NOT_SUPPORTED', { what, detail: 'only Linux has one so far' })
  const script = await findProgram('script', { PATH: SYSTEM_PATH.join(':') })
  if (script === null)
    throw deviceError('NOT_SUPPORTED', { what, detail: "the program 'script' is missing (Debian: package bsdutils)" })
  const { terminalColumns: columns, terminalRows: rows } = SHELL_LIMITS
  // `script` takes a line for a shell and nothing else; quoted words reach the program as they are.
  // The program leads its own session, whose number it reports on the file descriptor 3 (see ProcessGroup).
  const line = `echo $$ >&3; exec 3>&-; stty cols ${columns} rows ${rows}; exec ${[command.file, ...command.args].map(quote).join(' ')}`
  return {
    file: script,
    args: ['--quiet', '--flush', '--return', '--command', line, '/dev/null'],
    cwd: command.cwd,
    env: { TERM: 'xterm-256color', ...command.env, SHELL: '/bin/sh' },
  }
}

function quote(word: string): string {
  return `'${word.replaceAll("'", String.raw`'\''`)}'`
}
