import { SERVER_LIMITS } from '../limits.js'

/** Returns whether the HTTP API accepts a task name unchanged. */
export function isTaskName(name: unknown): name is string {
  return typeof name === 'string' && name.length <= SERVER_LIMITS.taskName && /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/.test(name)
}

/** Makes a task name safe as a label; returns a new one if nothing is left (protocol reference, chapter 7). */
export function safeTaskName(name: string | null): string {
  const safe = (name ?? '')
    .slice(0, SERVER_LIMITS.taskName)
    .replaceAll(/[^A-Za-z0-9._-]/g, '_')
    .replace(/^\.+/, '')
  return safe === '' ? crypto.randomUUID() : safe
}
