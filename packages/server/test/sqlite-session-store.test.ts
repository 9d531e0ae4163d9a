import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe } from 'vitest'
import { ManualClock } from '../../../test/support/manual-clock.js'
import { SqliteSessionStore } from '../src/store/sqlite-session-store.js'
import { sessionStorePromises } from './promises/session-store-promises.js'

describe('the store of sessions in SQLite', () => {
  sessionStorePromises(() => {
    const folder = mkdtempSync(join(tmpdir(), 'orrery-sessions-'))
    const clock = new ManualClock()
    const openStore = (): SqliteSessionStore => new SqliteSessionStore(join(folder, 'events.db'), { clock })
    let store = openStore()
    return Promise.resolve({
      store,
      clock,
      async reopen() {
        await store.close()
        store = openStore()
        return store
      },
      async [Symbol.asyncDispose]() {
        await store.close()
        rmSync(folder, { recursive: true })
      },
    })
  })
})
