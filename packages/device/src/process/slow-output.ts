import type { Readable } from 'node:stream'
import type { Clock } from '@orrery/aip'

/** Bytes that a program may print as fast as it can. */
const FREE = 8 * 1024 * 1024
/** What follows is read in portions of this many bytes, with a pause after each, in milliseconds. */
const PORTION = 1024 * 1024
const PAUSE = 10

/**
 * Slows down a program that prints endlessly: its output is mostly discarded, and read at full speed it would fill the memory
 * before it is collected and keep this process from its other work.
 */
export function slowOutput(stream: Readable, clock: Clock): void {
  let left = FREE
  stream.on('data', (chunk: Buffer) => {
    left -= chunk.length
    if (left > 0) return
    left = PORTION
    stream.pause()
    clock.after(PAUSE, () => stream.resume())
  })
}
