import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe } from 'vitest'
import { SqliteClientStore } from '../src/store/sqlite-client-store.js'
import { clientStorePromises } from './promises/client-store-promises.js'

describe('the store of clients in SQLite', () => {
  clientStorePromises(() => {
    const folder = mkdtempSync(join(tmpdir(), 'orrery-clients-'))
    const path = join(folder, 'clients.db')
    let store = new SqliteClientStore(path)
    return Promise.resolve({
      store,
      async reopen() {
        await store.close()
        store = new SqliteClientStore(path)
        return store
      },
      async [Symbol.asyncDispose]() {
        await store.close()
        rmSync(folder, { recursive: true })
      },
    })
  })
})
