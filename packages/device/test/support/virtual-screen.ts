import { spawn } from 'node:child_process'
import { once } from 'node:events'

/** An X11 screen without a monitor. */
export interface VirtualScreen extends AsyncDisposable {
  /** Its name, for `DISPLAY`. */
  display: string
}

/** Starts a screen on a free number. */
export async function virtualScreen(size: string): Promise<VirtualScreen> {
  // It takes a free number by itself and tells it on the file descriptor 3.
  const child = spawn('Xvfb', ['-displayfd', '3', '-screen', '0', `${size}x24`, '-nolisten', 'tcp'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  })
  const [number] = (await once(child.stdio[3]!, 'data')) as [Buffer]
  return {
    display: `:${number.toString().trim()}`,
    async [Symbol.asyncDispose]() {
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      await ended
    },
  }
}
