import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const RECORDED = JSON.parse(readFileSync(join(ROOT, 'docs/install-size.json'), 'utf8')) as { device_bytes: number }
const run = promisify(execFile)
/** Installing asks the registry: how long that takes is not ours to decide. */
const PATIENCE = 180_000

describe('the packages, packed and installed into an empty project', () => {
  const folder = mkdtempSync(join(tmpdir(), 'orrery-install-'))
  let tarballs: string[] = []

  beforeAll(async () => {
    await run('npm', ['pack', '--workspaces', '--pack-destination', folder, '--loglevel=error'], { cwd: ROOT })
    tarballs = readdirSync(folder)
      .filter((file) => file.endsWith('.tgz'))
      .map((file) => join(folder, file))
  }, PATIENCE)
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  /** An empty project with the packages whose tarballs match. */
  async function project(name: string, wanted: RegExp): Promise<string> {
    const path = mkdtempSync(join(folder, `${name}-`))
    writeFileSync(join(path, 'package.json'), JSON.stringify({ name, private: true, type: 'module' }))
    await run(
      'npm',
      ['install', '--no-audit', '--no-fund', '--loglevel=error', ...tarballs.filter((file) => wanted.test(file))],
      { cwd: path },
    )
    return path
  }

  it('are one tarball each', () => {
    expect(tarballs).toHaveLength(6)
  })

  it(
    'can be imported, and the command line runs its demo',
    async () => {
      const path = await project('all', /./)
      for (const name of [
        '@orrery/aip',
        '@orrery/aip/api',
        '@orrery/aip/node',
        '@orrery/log',
        '@orrery/server',
        '@orrery/device',
        '@orrery/constellation',
      ]) {
        await run(process.execPath, ['--input-type=module', '-e', `await import('${name}')`], { cwd: path })
      }
      const { stdout } = await run(process.execPath, [join(path, 'node_modules/orrery/bin/orrery.js'), 'demo'], { cwd: path })
      expect(stdout).toContain('sessions ran and are in the event log')
    },
    PATIENCE,
  )

  it(
    'make a device that is not more than a tenth larger than recorded',
    async () => {
      const path = await project('device', /orrery-(aip|log|device)-/)
      const size = sizeOf(join(path, 'node_modules'))
      expect(size, `the device installs ${size} bytes; docs/install-size.json says ${RECORDED.device_bytes}`).toBeLessThan(
        RECORDED.device_bytes * 1.1,
      )
      // A record that is far too large would let growth pass unseen.
      expect(size).toBeGreaterThan(RECORDED.device_bytes * 0.8)
    },
    PATIENCE,
  )
})

/** Bytes of all files in a folder. */
function sizeOf(folder: string): number {
  return readdirSync(folder, { withFileTypes: true }).reduce((sum, entry) => {
    const path = join(folder, entry.name)
    return sum + (entry.isDirectory() ? sizeOf(path) : entry.isFile() ? statSync(path).size : 0)
  }, 0)
}
