import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SIZE_RECORD, installed, isPartOfDevice, packed, sizeOf } from './installation.ts'

const RECORDED = JSON.parse(readFileSync(SIZE_RECORD, 'utf8')) as { device_bytes: number }
const run = promisify(execFile)
/** Installing asks the registry: how long that takes is not ours to decide. */
const PATIENCE = 180_000

describe('the packages, packed and installed into an empty project', () => {
  const folder = mkdtempSync(join(tmpdir(), 'orrery-install-'))
  let tarballs: string[] = []

  beforeAll(async () => {
    tarballs = await packed(folder)
  }, PATIENCE)
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it('are one tarball each', () => {
    expect(tarballs).toHaveLength(7)
  })

  it(
    'can be imported, and the command line runs its demo',
    async () => {
      const path = await installed(folder, tarballs)
      for (const name of [
        '@orrery/aip',
        '@orrery/aip/api',
        '@orrery/aip/node',
        '@orrery/log',
        '@orrery/graph',
        '@orrery/server',
        '@orrery/device',
        '@orrery/constellation',
      ]) {
        await run(process.execPath, ['--input-type=module', '-e', `await import('${name}')`], { cwd: path })
      }
      const { stdout } = await run(process.execPath, [join(path, 'node_modules/orrery/bin/orrery.js'), 'demo'], { cwd: path })
      expect(stdout).toContain('sessions ran, each step in the event log')
    },
    PATIENCE,
  )

  it(
    'make a device that is not more than a tenth larger than recorded',
    async () => {
      const path = await installed(folder, tarballs.filter(isPartOfDevice))
      const size = sizeOf(join(path, 'node_modules'))
      expect(
        size,
        `the device installs ${size} bytes; docs/install-size.json says ${RECORDED.device_bytes}; if it is worth it: npm run install-size`,
      ).toBeLessThan(RECORDED.device_bytes * 1.1)
      // A record that is far too large would let growth pass unseen.
      expect(size).toBeGreaterThan(RECORDED.device_bytes * 0.8)
    },
    PATIENCE,
  )
})
