/** Returns whether the HTTP API takes a task name as it is. */
export function isTaskName(name: unknown): name is string {
  return typeof name === 'string' && /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/.test(name)
}

/** A task name that is safe as a label; a fresh one if nothing is left (protocol reference, chapter 7). */
export function safeTaskName(name: string | null): string {
  const safe = (name ?? '').replaceAll(/[^A-Za-z0-9._-]/g, '_').replace(/^\.+/, '')
  return safe === '' ? crypto.randomUUID() : safe
}
