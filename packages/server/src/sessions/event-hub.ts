import type { SessionEvent } from '@orrery/aip/api'

export type EventListener = (event: SessionEvent) => void

/** Tells listeners what happens in sessions, after it is recorded. A listener must not throw and must not wait. */
export class EventHub {
  readonly #ofRun = new Map<string, Set<EventListener>>()
  readonly #ofAll = new Set<EventListener>()

  /** Listens to one run. @returns stops listening */
  subscribe(runId: string, listener: EventListener): () => void {
    const listeners = this.#ofRun.get(runId) ?? new Set()
    this.#ofRun.set(runId, listeners)
    listeners.add(listener)
    return () => {
      listeners.delete(listener)
      if (listeners.size === 0 && this.#ofRun.get(runId) === listeners) this.#ofRun.delete(runId)
    }
  }

  /** Listens to every run. @returns stops listening */
  subscribeAll(listener: EventListener): () => void {
    this.#ofAll.add(listener)
    return () => void this.#ofAll.delete(listener)
  }

  emit(runId: string, event: SessionEvent): void {
    for (const listener of this.#ofRun.get(runId) ?? []) listener(event)
    for (const listener of this.#ofAll) listener(event)
  }
}
