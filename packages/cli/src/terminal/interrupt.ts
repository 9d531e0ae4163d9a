import { EXIT } from './errors.js'

type Handler = () => void

const exitAtOnce: Handler = () => process.exit(EXIT.interrupted)
let current: Handler = exitAtOnce
let installed = false

/** From now on Ctrl-C ends the process with the code for an interruption, unless {@link onInterrupt} says otherwise. */
export function installInterrupt(): void {
  if (installed) return
  installed = true
  process.on('SIGINT', () => current())
}

/**
 * What the next Ctrl-C does; one after that ends the process at once, so that the user is never kept waiting.
 * @returns removes the handler
 */
export function onInterrupt(handler: Handler): () => void {
  installInterrupt()
  const once = (): void => {
    current = exitAtOnce
    handler()
  }
  current = once
  return () => {
    if (current === once) current = exitAtOnce
  }
}
