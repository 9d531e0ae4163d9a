import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { scriptedAgent } from '../support/scripted-agent.js'
import { DEVICE_KEY, OPERATOR_KEY, startTestServer } from '../support/test-server.js'

const PARTS = fileURLToPath(new URL('node-22-parts.mjs', import.meta.url))
/** The oldest versions that `engines` of the packages name. */
const OLDEST = { sdk: '22.0.0', device: '22.13.0' }
/** Installing asks the registry: how long that takes is not ours to decide. */
const PATIENCE = 180_000
const run = promisify(execFile)

describe('Node 22', () => {
  const folder = mkdtempSync(join(tmpdir(), 'orrery-node-22-'))
  const node = (name: keyof typeof OLDEST): string => join(folder, 'node_modules', name, 'bin/node')

  beforeAll(async () => {
    const dependencies = Object.fromEntries(Object.entries(OLDEST).map(([name, version]) => [name, `npm:node@${version}`]))
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, dependencies, allowScripts: { node: true } }))
    await run('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: folder })
  }, PATIENCE)
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it.each([
    ...['aip', 'aip/api', 'aip/records', 'aip/node', 'graph', 'constellation', 'constellation/api'].map(
      (part) => [part, 'sdk'] as const,
    ),
    ...['log', 'device'].map((part) => [part, 'device'] as const),
  ])('loads @orrery/%s in the oldest version that it names', async (part, name) => {
    const code = `await import('@orrery/${part}'); console.log(process.version)`
    const { stdout } = await run(node(name), ['--input-type=module', '-e', code])
    expect(stdout).toBe(`v${OLDEST[name]}\n`)
  })

  it('runs a device and an orchestrator, with a server on a newer one', async () => {
    await using server = await startTestServer({ agents: [scriptedAgent] })
    const device = spawn(node('device'), [PARTS, 'device', server.url, DEVICE_KEY, 'd1', join(folder, 'journal.db')], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    const ended = once(device, 'close')
    await Promise.race([once(device.stdout, 'data'), ended])
    const { stdout } = await run(node('sdk'), [PARTS, 'client', server.url, OPERATOR_KEY, 'd1'])
    expect(JSON.parse(stdout)).toEqual({
      events: ['accepted', 'commands_sent', 'results_received', 'ended'],
      results: 1,
      devices: ['online'],
      node: `v${OLDEST.sdk}`,
    })
    device.stdin.end()
    expect(await ended).toEqual([0, null])
  })
})
