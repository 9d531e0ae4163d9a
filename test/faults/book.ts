import { KINDS } from './kinds.ts'
import type { Fault } from './plan.ts'

/** A fault that was injected. Times in milliseconds since the epoch. */
export interface Injected {
  fault: Fault
  at: number
  /** Whether a command ran there then. */
  duringCommand: boolean
  /** From its end until a session of that device came to an end; null if none did. */
  recoveryMs: number | null
}

/** What has gone wrong. */
export type Breach = 'lost' | 'twice' | 'wrong' | 'hung' | 'disconnected' | 'other'

/** A broken promise. */
export interface Finding {
  breach: Breach
  detail: string
  /** The fault that came last before it; null before the first. */
  fault: Fault | null
}

/** What a run has come to. */
export class Book {
  readonly injected: Injected[] = []
  /** Faults that could not be injected, e.g. because nothing was recorded there in time. */
  readonly missed: Fault[] = []
  readonly findings: Finding[] = []
  /** Tasks, by the fault that came last before their end. */
  readonly accepted = new Map<Fault | null, number>()
  readonly interrupted = new Map<Fault | null, number>()

  /** The last fault of a device, or of the server, before a moment. */
  lastBefore(device: number, moment: number): Fault | null {
    const known = this.injected.findLast(
      ({ fault, at }) => at <= moment && (fault.device === device || KINDS[fault.kind].target === 'server'),
    )
    return known?.fault ?? null
  }

  count(map: Map<Fault | null, number>, fault: Fault | null): void {
    map.set(fault, (map.get(fault) ?? 0) + 1)
  }
}
