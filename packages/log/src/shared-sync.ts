/**
 * Makes one slow sync serve all callers that come while it runs: each call settles with a sync that began after the call.
 * @param sync what writes everything down, off the main thread
 */
export function sharedSync(sync: () => Promise<void>): () => Promise<void> {
  let running: Promise<unknown> = Promise.resolve()
  let next: Promise<void> | null = null
  const start = (): Promise<void> => {
    next = null
    const current = sync()
    running = current.catch(() => {})
    return current
  }
  return () => (next ??= running.then(start))
}
