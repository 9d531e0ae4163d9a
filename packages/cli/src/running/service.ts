import { EXIT } from '../terminal/errors.js'
import { onInterrupt } from '../terminal/interrupt.js'
import { paint } from '../terminal/painted.js'
import { clearLine, note } from '../terminal/write.js'

/** How long a clean stop may take, in milliseconds; then the process ends anyway. */
const STOP_LIMIT = 15_000

/**
 * Runs a service until Ctrl-C, SIGTERM or SIGHUP, or until it ends by itself, and stops it. A second Ctrl-C ends the process at once.
 * @param stop closes everything; called once
 * @param ended settles if the service ends by itself; its error is rethrown
 */
export async function serve(stop: () => Promise<void>, ended?: Promise<unknown>): Promise<void> {
  const asked = new Promise<'asked'>((resolve) => {
    onInterrupt(() => resolve('asked'))
  })
  // The promise alone would not keep the process alive.
  const alive = setInterval(() => {}, 60_000)
  try {
    const why = await Promise.race([asked, ended ?? asked])
    if (why === 'asked' && process.stderr.isTTY) {
      clearLine(process.stderr)
      note(paint('dim', 'Stopping; Ctrl-C again ends it at once'))
    }
  } finally {
    setTimeout(() => process.exit(EXIT.failed), STOP_LIMIT).unref()
    await stop()
    clearInterval(alive)
  }
}
