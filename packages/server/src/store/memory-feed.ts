import { randomBytes } from 'node:crypto'
import type { SessionEvent } from '@orrery/aip/api'
import type { Change, ChangeListener, EventListener, Feed } from './feed.js'
import { SERVER_LIMITS } from '../limits.js'

/** The feed of one process. It does not outlive it: a position of an earlier process is too old. */
export class MemoryFeed implements Feed {
  readonly #process = randomBytes(4).toString('hex')
  /** A ring buffer: change number n is at index n modulo its length. */
  readonly #changes: Change[] = []
  #last = 0
  readonly #changeListeners = new Set<ChangeListener>()
  readonly #eventListeners = new Set<EventListener>()
  readonly #ofRun = new Map<string, Set<EventListener>>()

  position(): string {
    return `${this.#process}-${this.#last}`
  }

  since(position: string): Promise<{ change: Change; position: string }[] | null> {
    const [process, text = ''] = position.split('-')
    const after = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
    if (process !== this.#process || !(after <= this.#last) || this.#last - after > SERVER_LIMITS.feedChanges)
      return Promise.resolve(null)
    const changes = []
    for (let number = after + 1; number <= this.#last; number += 1) {
      const change = this.#changes[number % SERVER_LIMITS.feedChanges]
      if (change !== undefined) changes.push({ change, position: `${this.#process}-${number}` })
    }
    return Promise.resolve(changes)
  }

  changed(change: Change): void {
    this.#last += 1
    this.#changes[this.#last % SERVER_LIMITS.feedChanges] = change
    if (this.#changeListeners.size === 0) return
    const position = this.position()
    for (const listener of this.#changeListeners) listener(change, position)
  }

  emit(runId: string, event: SessionEvent): void {
    for (const listener of this.#ofRun.get(runId) ?? []) listener(event, runId)
    for (const listener of this.#eventListeners) listener(event, runId)
    if (event.seq !== null) this.changed({ kind: 'session', runId })
  }

  onChange(listener: ChangeListener): () => void {
    this.#changeListeners.add(listener)
    return () => void this.#changeListeners.delete(listener)
  }

  onEvent(listener: EventListener, runId?: string): () => void {
    if (runId === undefined) {
      this.#eventListeners.add(listener)
      return () => void this.#eventListeners.delete(listener)
    }
    const listeners = this.#ofRun.get(runId) ?? new Set()
    this.#ofRun.set(runId, listeners.add(listener))
    return () => {
      listeners.delete(listener)
      if (listeners.size === 0 && this.#ofRun.get(runId) === listeners) this.#ofRun.delete(runId)
    }
  }
}
