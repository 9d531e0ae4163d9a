import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ensureKey, findKey, inHome, readKey } from '../src/settings/home.js'
import { DEFAULT_SERVER, announceServer, localServer } from '../src/settings/running-server.js'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'orrery-home-'))
  vi.stubEnv('ORRERY_HOME', join(folder, 'home'))
  vi.stubEnv('ORRERY_API_KEY', '')
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true })
})

describe('keys', () => {
  it('are made once, long and random, and only their owner can read them', async () => {
    const key = await ensureKey('operator.key')
    expect(key).toMatch(/^[\w-]{43}$/)
    expect(await ensureKey('operator.key')).toBe(key)
    expect(await ensureKey('device.key')).not.toBe(key)
    expect(statSync(inHome('operator.key')).mode & 0o777).toBe(0o600)
    expect(statSync(inHome()).mode & 0o777).toBe(0o700)
  })

  it('are made again when the file is empty', async () => {
    await ensureKey('device.key')
    writeFileSync(inHome('device.key'), '\n')
    expect(await ensureKey('device.key')).toMatch(/^[\w-]{43}$/)
  })

  it('come from the flag, else the environment, else the file', async () => {
    expect(findKey({ name: '--api-key', value: undefined, file: undefined }, 'operator.key')).toBeUndefined()
    const key = await ensureKey('operator.key')
    expect(findKey({ name: '--api-key', value: undefined, file: undefined }, 'operator.key')).toEqual({
      key,
      source: inHome('operator.key'),
    })
    vi.stubEnv('ORRERY_API_KEY', 'from-environment')
    expect(findKey({ name: '--api-key', value: undefined, file: undefined }, 'operator.key')?.source).toBe('ORRERY_API_KEY')
    expect(findKey({ name: '--api-key', value: 'mine', file: undefined }, 'operator.key')).toEqual({
      key: 'mine',
      source: '--api-key',
    })
  })

  it.skipIf(process.getuid?.() === 0)('that may not be read are reported with the way out', async () => {
    await ensureKey('operator.key')
    chmodSync(inHome('operator.key'), 0)
    expect(() => readKey('operator.key')).toThrow(/--api-key or ORRERY_API_KEY/)
  })
})

describe('the server that runs on this machine', () => {
  it('is found by its file until it stops', () => {
    expect(localServer()).toBe(DEFAULT_SERVER)
    const withdraw = announceServer('http://127.0.0.1:6001')
    expect(localServer()).toBe('http://127.0.0.1:6001')
    expect(statSync(inHome('server.json')).mode & 0o777).toBe(0o600)
    withdraw()
    expect(localServer()).toBe(DEFAULT_SERVER)
  })

  it('is not one that was killed, and not what a broken file says', () => {
    const { pid } = spawnSync(process.execPath, ['-e', ''])
    announceServer('http://127.0.0.1:6002')
    writeFileSync(inHome('server.json'), JSON.stringify({ url: 'http://127.0.0.1:6002', pid }))
    expect(localServer()).toBe(DEFAULT_SERVER)
    for (const text of ['', 'null', '[]', '{"url": 1, "pid": 1}']) {
      writeFileSync(inHome('server.json'), text)
      expect(localServer()).toBe(DEFAULT_SERVER)
    }
  })

  it('keeps its file when another one stops', () => {
    const withdraw = announceServer('http://127.0.0.1:6003')
    const other = { url: 'http://127.0.0.1:6004', pid: process.ppid }
    writeFileSync(inHome('server.json'), JSON.stringify(other))
    withdraw()
    expect(existsSync(inHome('server.json'))).toBe(true)
    expect(JSON.parse(readFileSync(inHome('server.json'), 'utf8'))).toEqual(other)
  })
})
