import type { Command } from '@orrery/aip'

/** A batch from its arrival to its results, and how to end it early. */
export class RunningBatch {
  readonly sessionId: string | null
  readonly responseId: string | null
  readonly #all = new AbortController()
  readonly #calls = new Map<string, AbortController>()

  constructor(sessionId: string | null, responseId: string | null) {
    this.sessionId = sessionId
    this.responseId = responseId
  }

  /** Ends the whole batch. */
  get signal(): AbortSignal {
    return this.#all.signal
  }

  /** The signal that ends one command: with the batch, or alone. */
  callSignal(command: Command): AbortSignal {
    if (command.call_id === null) return this.signal
    return AbortSignal.any([this.signal, this.#call(command.call_id).signal])
  }

  /** Ends one command, started or not; without a call id, all of them. */
  cancel(callId: string | null = null): void {
    if (callId === null) this.#all.abort()
    else this.#call(callId).abort()
  }

  #call(callId: string): AbortController {
    const known = this.#calls.get(callId) ?? new AbortController()
    this.#calls.set(callId, known)
    return known
  }
}

/** The batches of a device that have no results yet. */
export class RunningBatches {
  readonly #batches = new Set<RunningBatch>()

  /** Keeps a batch while `work` runs on it. */
  async track<T>(batch: RunningBatch, work: (batch: RunningBatch) => Promise<T>): Promise<T> {
    this.#batches.add(batch)
    try {
      return await work(batch)
    } finally {
      this.#batches.delete(batch)
    }
  }

  /** Ends what is asked for: one command, one batch, all of a session; without a session everything. @returns the number of batches */
  cancel(target: { sessionId?: string | null; responseId?: string | null; callId?: string | null } = {}): number {
    const { sessionId = null, responseId = null, callId = null } = target
    const chosen = [...this.#batches].filter(
      (batch) =>
        (sessionId === null || batch.sessionId === sessionId) && (responseId === null || batch.responseId === responseId),
    )
    for (const batch of chosen) batch.cancel(callId)
    return chosen.length
  }
}
