import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it } from 'vitest'
import { KeyValues } from '../src/key-values.js'
import { temporaryPath } from './support/temporary.js'

describe('values by key', () => {
  it('can be read at once, and after the file is opened again', async () => {
    const path = temporaryPath()
    const first = new KeyValues(path)
    const set = first.set('devices', 'd1', { platform: 'linux' })
    expect(first.get('devices', 'd1')).toEqual({ platform: 'linux' })
    expect(first.get('tokens', 'd1')).toBeUndefined()
    await set
    await first.set('devices', 'd2', null)
    await first.close()
    const again = new KeyValues(path)
    expect(again.entries('devices')).toEqual([
      ['d1', { platform: 'linux' }],
      ['d2', null],
    ])
    await again.close()
  })

  it('are replaced and deleted', async () => {
    const values = new KeyValues(':memory:')
    await values.set('b', 'k', 1)
    await values.set('b', 'k', 2)
    expect(values.get('b', 'k')).toBe(2)
    const gone = values.delete('b', 'k')
    expect(values.get('b', 'k')).toBeUndefined()
    await gone
    expect(values.entries('b')).toEqual([])
    await values.close()
  })

  it('keeps the last of several changes of one turn', async () => {
    const values = new KeyValues(':memory:')
    await Promise.all([values.set('b', 'k', 1), values.delete('b', 'k'), values.set('b', 'k', 3)])
    expect(values.get('b', 'k')).toBe(3)
    await values.close()
  })

  it('refuses a file of a newer version, and one that another process has open', async () => {
    const path = temporaryPath()
    const values = new KeyValues(path)
    expect(() => new KeyValues(path)).toThrow(expect.objectContaining({ code: 'IN_USE' }))
    await values.close()
    const db = new DatabaseSync(path)
    db.exec('PRAGMA user_version = 9999')
    db.close()
    expect(() => new KeyValues(path)).toThrow(expect.objectContaining({ code: 'TOO_NEW' }))
  })

  it('says that it is closed', async () => {
    const values = new KeyValues(':memory:')
    await values.close()
    expect(() => values.get('b', 'k')).toThrow(expect.objectContaining({ code: 'CLOSED' }))
    await expect(values.set('b', 'k', 1)).rejects.toMatchObject({ code: 'CLOSED' })
  })
})
