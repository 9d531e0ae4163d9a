import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DeviceConfig, startDevice, type DeviceHandle } from '@orrery/device'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { DEVICE_KEY, OPERATOR_KEY, startTestServer, type TestServer } from '../../../test/support/test-server.js'
import { inPipes } from './support/captured-terminal.js'

describe('`orrery cp`', () => {
  let server: TestServer
  let device: DeviceHandle
  let here: string
  let there: string
  beforeEach(async () => {
    const root = realpathSync(mkdtempSync(join(tmpdir(), 'orrery-cp-test-')))
    here = join(root, 'here')
    there = join(root, 'there')
    for (const folder of [here, there]) mkdirSync(folder)
    server = await startTestServer()
    device = startDevice({
      serverUrl: `${server.url.replace('http', 'ws')}/ws`,
      token: DEVICE_KEY,
      clientId: 'lab',
      config: DeviceConfig.parse({ roots: [there], policy: [{ server: '*', do: 'allow' }] }),
      cwd: there,
    })
    await device.registered
  })
  afterEach(async () => {
    vi.unstubAllEnvs()
    await device.stop()
    await server[Symbol.asyncDispose]()
    rmSync(join(here, '..'), { recursive: true })
  })

  const cp = (...words: string[]): ReturnType<typeof inPipes> =>
    inPipes('cp', ...words, '--server', server.url, '--api-key', OPERATOR_KEY)
  const put = (folder: string, files: Record<string, string>): void => {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(join(folder, path, '..'), { recursive: true })
      writeFileSync(join(folder, path), text)
    }
  }
  const tree = (folder: string): string[] =>
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => !entry.isDirectory())
      .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
      .sort()

  it('keeps permissions and the time of the last change, both ways', async () => {
    writeFileSync(join(there, 'run.sh'), 'x', { mode: 0o750 })
    utimesSync(join(there, 'run.sh'), 1_700_000_000, 1_700_000_000)
    expect(await cp('lab:run.sh', `${here}/`)).toMatchObject({ code: 0 })
    const { mode, mtimeMs } = statSync(join(here, 'run.sh'))
    expect([mode & 0o777, mtimeMs]).toEqual([0o750 & ~process.umask(), 1_700_000_000_000])
    mkdirSync(join(here, 'bin'))
    renameSync(join(here, 'run.sh'), join(here, 'bin', 'run.sh'))
    expect((await cp(join(here, 'bin', 'run.sh'), 'lab:back.sh')).code).toBe(0)
    expect((await cp('-r', join(here, 'bin'), 'lab:new')).code).toBe(0)
    for (const path of ['back.sh', 'new/run.sh']) {
      const back = statSync(join(there, path))
      expect([path, back.mode & 0o777, back.mtimeMs]).toEqual([path, mode & 0o777, 1_700_000_000_000])
    }
  })

  it('copies a folder from a device, links left out, into a new or an existing folder', async () => {
    put(there, { 'site/a.txt': 'a', 'site/deep/er/b.txt': 'b' })
    symlinkSync('/etc', join(there, 'site', 'link'))
    expect(await cp('lab:site', here)).toMatchObject({ code: 2, stderr: expect.stringContaining('--recursive') as unknown })
    expect(await cp('-r', 'lab:site', join(here, 'new'))).toMatchObject({ code: 0 })
    expect(tree(join(here, 'new'))).toEqual(['a.txt', 'deep/er/b.txt'])
    expect(await cp('-r', ':site', here, '--json')).toMatchObject({ code: 0 })
    expect(tree(join(here, 'site'))).toEqual(['a.txt', 'deep/er/b.txt'])
    expect(await cp('-r', 'lab:site', here)).toMatchObject({ code: 1, stderr: expect.stringContaining('--force') as unknown })
    expect((await cp('-r', '-f', 'lab:site', here)).code).toBe(0)
  })

  it('copies a folder to a device, and makes the folders that are missing', async () => {
    put(here, { 'site/a.txt': 'a', 'site/big.bin': 'x'.repeat(100_000), 'site/deep/er/b.txt': 'b' })
    expect(await cp('-r', join(here, 'site'), 'lab:new')).toMatchObject({ code: 0 })
    expect(tree(there)).toEqual(['new/a.txt', 'new/big.bin', 'new/deep/er/b.txt'])
    expect(readFileSync(join(there, 'new/big.bin'), 'utf8')).toHaveLength(100_000)
    mkdirSync(join(there, 'old'))
    const { stdout } = await cp('-r', join(here, 'site'), ':old', '--json')
    expect(JSON.parse(stdout.toString())).toMatchObject({
      device_id: 'lab',
      files: [{ bytes: 1 }, { bytes: 1 }, { bytes: 100_000 }],
    })
    expect(tree(join(there, 'old'))).toEqual(['site/a.txt', 'site/big.bin', 'site/deep/er/b.txt'])
    expect((await cp('-r', join(here, 'site'), ':old')).code).toBe(1)
  })

  it('copies all files that match, from a device and to it', async () => {
    put(there, { 'logs/a.log': 'a', 'logs/b.log': 'b', 'logs/c.txt': 'c', 'logs/sub/d.log': 'd' })
    expect(await cp('lab:logs/*.log', here)).toMatchObject({ code: 0 })
    expect(tree(here)).toEqual(['a.log', 'b.log'])
    expect((await cp('lab:logs/**/d.log', here)).code).toBe(0)
    expect(tree(here)).toContain('d.log')
    mkdirSync(join(there, 'in'))
    expect((await cp(join(here, '*.log'), 'lab:in')).code).toBe(0)
    expect(tree(join(there, 'in'))).toEqual(['a.log', 'b.log', 'd.log'])
    expect(await cp('lab:logs/*.none', here)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('No file of lab matches') as unknown,
    })
  })

  it('copies to stdout, byte for byte', async () => {
    const bytes = Buffer.from([0, 255, 10, 13, 27, 128])
    writeFileSync(join(there, 'x'), bytes)
    const { stdout, code } = await cp('lab:x', '-')
    expect([stdout.equals(bytes), code, tree(here)]).toEqual([true, 0, []])
  })

  it('says that it waits for an approval, also in a pipe', async () => {
    const asked = startDevice({
      serverUrl: `${server.url.replace('http', 'ws')}/ws`,
      token: DEVICE_KEY,
      clientId: 'asks',
      config: DeviceConfig.parse({ roots: [there] }),
      cwd: there,
      approver: async () => {
        const shown = (): string => vi.mocked(process.stderr.write).mock.calls.join('')
        await expect.poll(shown, { timeout: 30_000 }).toContain('a.txt: waiting for an approval at asks\n')
        return 'allow'
      },
    })
    try {
      await asked.registered
      put(here, { 'a.txt': 'a' })
      const { code, stderr } = await cp(join(here, 'a.txt'), 'asks:b.txt')
      expect(code, stderr).toBe(0)
      expect(tree(there)).toEqual(['b.txt'])
    } finally {
      await asked.stop()
    }
  })

  it('takes the device from the flag or the environment', async () => {
    put(there, { x: 'x' })
    expect((await cp(':x', join(here, 'a'), '-d', 'lab')).code).toBe(0)
    vi.stubEnv('ORRERY_DEVICE', 'other')
    expect(await cp(':x', join(here, 'b'))).toMatchObject({ code: 1, stderr: expect.stringContaining("'other'") as unknown })
    expect((await cp('lab:x', join(here, 'c'))).code).toBe(0)
  })

  it.each([
    [['a', 'b'], /Neither is on a device/],
    [['lab:a', 'lab:b'], /Both are on a device/],
    [['lab:a', 'b', 'c'], /All that is copied must be in one place/],
    [['lab:a'], /FROM TO/],
    [['-', 'lab:'], /has no name/],
    [['lab:a', 'b', '-d', 'c'], /Two devices are named/],
  ])('%j is refused with exit code 2', async (words, text) => {
    expect(await cp(...words)).toMatchObject({ code: 2, stderr: expect.stringMatching(text) as unknown })
  })
})
