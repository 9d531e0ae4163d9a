import type { SessionEvent } from '@orrery/aip/api'

/** A change of something that lists show. Its current state is read where it is kept. */
export type Change = { kind: 'session'; runId: string } | { kind: 'presence'; deviceId: string } | { kind: 'ask'; askId: string }

/** Called with each change and the position after it. Must not throw and must not wait. */
export type ChangeListener = (change: Change, position: string) => void

/** Called with each event of a run. Must not throw and must not wait. */
export type EventListener = (event: SessionEvent, runId: string) => void

/** Publishes what happens on the server: records of all sessions, progress, changes of presence and of approvals. */
export interface Feed {
  /** Returns the current position, an opaque text; {@link since} returns what changes after it. */
  position(): string
  /** Returns the changes after a position, in order; null if it is too old, or not of this feed. */
  since(position: string): Promise<{ change: Change; position: string }[] | null>
  /** Publishes a change. */
  changed(change: Change): void
  /** Publishes progress, or a record once it is committed; a record is also a change of its session. */
  emit(runId: string, event: SessionEvent): void
  /** Listens to changes. @returns stops listening */
  onChange(listener: ChangeListener): () => void
  /** Listens to the events of one run, or of all. @returns stops listening */
  onEvent(listener: EventListener, runId?: string): () => void
}
