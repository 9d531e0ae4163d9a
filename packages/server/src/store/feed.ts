import type { SessionEvent } from '@orrery/aip/api'

/** Something that lists show has changed. What it is now is asked where it is kept. */
export type Change = { kind: 'session'; runId: string } | { kind: 'presence'; deviceId: string } | { kind: 'ask'; askId: string }

/** Hears of changes, each with the position after it. Must not throw and must not wait. */
export type ChangeListener = (change: Change, position: string) => void

/** Hears what happens in a run. Must not throw and must not wait. */
export type EventListener = (event: SessionEvent, runId: string) => void

/** What happens on the server, as it happens: records of all sessions, progress, changes of presence and of approvals. */
export interface Feed {
  /** Where the feed is now; opaque. What changes after it comes from {@link since} with it. */
  position(): string
  /** The changes after a position, in order; null if it is too old, or not of this feed. */
  since(position: string): Promise<{ change: Change; position: string }[] | null>
  /** Publishes a change. */
  changed(change: Change): void
  /** Publishes a record, once it is committed, or progress; a record is a change of its session too. */
  emit(runId: string, event: SessionEvent): void
  /** Listens to changes. @returns stops listening */
  onChange(listener: ChangeListener): () => void
  /** Listens to the events of one run, or of all. @returns stops listening */
  onEvent(listener: EventListener, runId?: string): () => void
}
