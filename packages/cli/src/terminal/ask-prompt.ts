import { createInterface } from 'node:readline/promises'
import type { TerminalApprover } from '@orrery/device'
import { paint, singleLine } from './output.js'

/** Asks at this terminal whether a call may run; undefined without a terminal. */
export function terminalApprover(): TerminalApprover | undefined {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return undefined
  // One question at a time: the answer must be to what is on the screen.
  let line: Promise<unknown> = Promise.resolve()
  return (ask, signal) => {
    const [call = '', ...why] = ask.summary.split('\n')
    const asked = line.then(() => askPermission(`${call}\n${why.join(' ')}`, signal))
    line = asked
    return asked
  }
}

/**
 * Asks for permission on stderr and reads the answer from stdin.
 * @param text the call, and on a second line why it is asked
 * @param signal withdraws the question
 * @returns null if it was withdrawn or the input has ended
 */
export async function askPermission(text: string, signal: AbortSignal): Promise<'allow' | 'deny' | null> {
  if (signal.aborted) return null
  const [call = '', why = ''] = text.split('\n')
  const reader = createInterface({ input: process.stdin, output: process.stderr })
  // The reader intercepts the terminal's Ctrl-C.
  reader.on('SIGINT', () => process.kill(process.pid, 'SIGINT'))
  process.stderr.write(
    `${paint('yellow', '?', process.stderr)} ${singleLine(call)}\n  ${paint('dim', singleLine(why), process.stderr)}\n`,
  )
  try {
    const answer = await reader.question('  Allow this once? [y/N] ', { signal })
    return /^y(es)?$/i.test(answer.trim()) ? 'allow' : 'deny'
  } catch {
    process.stderr.write('\n  The question is settled.\n')
    return null
  } finally {
    reader.close()
  }
}
