import { EXIT } from './errors.js'

type Handler = () => void

const exitAtOnce: Handler = () => process.exit(EXIT.interrupted)
let current: Handler = exitAtOnce
let installed = false
/** Whether a handler has run that has not ended the process yet. */
let stopping = false

/** From now on Ctrl-C, SIGTERM and SIGHUP end the process with the code for an interruption, unless {@link onInterrupt} says otherwise. */
export function installInterrupt(): void {
  if (installed) return
  installed = true
  process.on('SIGINT', () => current())
  // A supervisor may send both, and only a user at a keyboard loses patience.
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stopping || current())
}

/**
 * What the next of these signals does; a Ctrl-C after that ends the process at once, so that the user is never kept waiting.
 * @returns removes the handler
 */
export function onInterrupt(handler: Handler): () => void {
  installInterrupt()
  const once = (): void => {
    current = exitAtOnce
    stopping = true
    handler()
  }
  current = once
  return () => {
    if (current === once) current = exitAtOnce
  }
}
