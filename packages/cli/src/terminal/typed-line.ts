import { closeSync, constants, openSync, readSync } from 'node:fs'
import { createInterface } from 'node:readline/promises'
import { setTimeout as wait } from 'node:timers/promises'
import type { Line } from './painted.js'
import { plain } from './painted.js'
import { echo } from './write.js'

/** How long the keyboard must be quiet before a question counts as read, in milliseconds: what someone types just now is for something else. */
const QUIET_MS = 250
/** What Ctrl-C is to a terminal that passes every key on. */
const CTRL_C = 3

/**
 * Reads a line that the user types after the prompt is on the screen; what was typed before is discarded, also what is typed
 * in the moment before the prompt, in which the lines above it are on the screen already. Stdin is a terminal.
 * @param signal withdraws the question
 * @returns null if it was withdrawn or the input has ended
 */
export async function typedLine(prompt: Line, signal: AbortSignal): Promise<string | null> {
  const { stdin } = process
  // From here on the terminal keeps no lines of its own.
  stdin.setRawMode(true)
  const over = new AbortController()
  try {
    await quietKeyboard(signal)
    if (signal.aborted) return null
    // The prompt follows at once: a program that waits for it may answer at once.
    discardTyped()
    const reader = createInterface({ input: stdin, output: echo(), terminal: true })
    // The reader intercepts the terminal's Ctrl-C.
    reader.on('SIGINT', interrupt)
    reader.on('close', () => over.abort())
    try {
      return await reader.question(plain(prompt), { signal: AbortSignal.any([signal, over.signal]) })
    } catch {
      return null
    } finally {
      reader.close()
    }
  } finally {
    stdin.setRawMode(false)
  }
}

/** Discards what is typed until nothing has been for a moment. */
async function quietKeyboard(signal: AbortSignal): Promise<void> {
  const { stdin } = process
  let typed = true
  const discard = (chunk: Buffer): void => {
    typed = true
    if (chunk.includes(CTRL_C)) interrupt()
  }
  stdin.on('data', discard)
  stdin.resume()
  try {
    while (typed && !signal.aborted) {
      typed = false
      await wait(QUIET_MS, undefined, { signal }).catch(() => {})
    }
  } finally {
    stdin.off('data', discard)
    stdin.pause()
    while (stdin.read() !== null);
  }
}

/** Discards at once what the terminal holds. */
function discardTyped(): void {
  if (process.platform === 'win32') return
  let terminal: number
  try {
    // The terminal is opened once more, because reading from the usual descriptor could wait.
    const path = process.platform === 'linux' ? '/proc/self/fd/0' : '/dev/tty'
    terminal = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY)
  } catch {
    return
  }
  try {
    const chunk = Buffer.alloc(4096)
    for (let bytes = 1; bytes > 0;) {
      bytes = readSync(terminal, chunk)
      if (chunk.subarray(0, bytes).includes(CTRL_C)) interrupt()
    }
  } catch {
    // Nothing is left.
  } finally {
    closeSync(terminal)
  }
}

function interrupt(): void {
  process.kill(process.pid, 'SIGINT')
}
