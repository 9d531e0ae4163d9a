import { spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'

/** An X11 screen without a monitor. */
export interface VirtualScreen extends AsyncDisposable {
  /** Its name, for `DISPLAY`. */
  display: string
}

/** Starts a screen. */
export async function virtualScreen(size: string): Promise<VirtualScreen> {
  // Without -noreset the screen restarts whenever its last program leaves, and refuses a program that starts at that moment.
  // Numbers are not used again soon: a screen that ends takes the socket of the next one of its number with it. It tells on the
  // file descriptor 3 when it is ready; nothing comes if the number is taken.
  for (;;) {
    const number = randomInt(100, 50_000)
    const child = spawn('Xvfb', [`:${number}`, '-displayfd', '3', '-screen', '0', `${size}x24`, '-nolisten', 'tcp', '-noreset'], {
      stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    })
    const ended = once(child, 'exit')
    const ready = once(child.stdio[3]!, 'data').then(() => true)
    if (!(await Promise.race([ready, ended.then(() => false)]))) continue
    return {
      display: `:${number}`,
      async [Symbol.asyncDispose]() {
        child.kill('SIGTERM')
        await ended
      },
    }
  }
}
