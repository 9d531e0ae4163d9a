import { vi } from 'vitest'
import { SqliteSessionStore } from '../../packages/server/src/store/sqlite-session-store.js'

/** Records of one type that a test holds back before they are committed. */
export interface HeldRecords extends Disposable {
  /** Settles when the first is about to be recorded. */
  reached: Promise<void>
  /** Lets them be recorded; with an error they cannot be. */
  release: (error?: Error) => void
}

/** Holds back what the servers of this process record under one type. */
export function holdRecords(type: string): HeldRecords {
  const { append } = SqliteSessionStore.prototype
  const reached = Promise.withResolvers<void>()
  const gate = Promise.withResolvers<void>()
  gate.promise.catch(() => {})
  const spy = vi.spyOn(SqliteSessionStore.prototype, 'append').mockImplementation(async function held(
    this: SqliteSessionStore,
    ...record
  ) {
    if (record[2] === type) {
      reached.resolve()
      await gate.promise
    }
    return append.apply(this, record)
  })
  return {
    reached: reached.promise,
    release: (error) => (error === undefined ? gate.resolve() : gate.reject(error)),
    [Symbol.dispose]: () => spy.mockRestore(),
  }
}
