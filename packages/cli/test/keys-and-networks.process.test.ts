import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { OrreryHome } from '../../../test/support/orrery-process.js'

describe.runIf(process.platform === 'linux')('a key', () => {
  it('that a flag gives is not in the list of processes, and one in a file works without', async () => {
    await using home = new OrreryHome()
    const server = home.start('server', '--port', '0', '--api-key', 'an-operator-key-of-my-own', '--log-level', 'INFO')
    const url = (await server.said(/(http:\/\/127\.0\.0\.1:\d+)/))[1] ?? ''
    const token = readFileSync(join(home.path, 'device.key'), 'utf8').trim()
    const address = `${url.replace('http', 'ws')}/ws?token=${token}`
    const device = home.start('device', '--client-id', 'flagged', `--token=${token}`, '--ws-server', address)
    await device.said(/flagged is connected/)
    const shown = [server, device].map(({ pid }) => readFileSync(`/proc/${pid}/cmdline`, 'utf8'))
    expect(shown.join('\n')).not.toMatch(new RegExp(`an-operator-key|${token}`))
    expect(shown[0]).toContain('--api-key ***')
    expect(shown[1]).toContain('--client-id flagged --token=***')

    const file = join(home.path, 'my.key')
    writeFileSync(file, 'an-operator-key-of-my-own\n')
    expect((await home.run('devices', '--api-key-file', file)).stdout).toContain('flagged')
    writeFileSync(join(home.path, 'token'), token)
    const other = home.start('device', '--client-id', 'filed', '--token-file', join(home.path, 'token'))
    await other.said(/filed is connected/)
  })

  it('is named by one flag, and its file has it', async () => {
    await using home = new OrreryHome()
    const file = join(home.path, 'empty')
    writeFileSync(file, '\n')
    const cases: [string[], RegExp][] = [
      [['devices', '--api-key', 'x', '--api-key-file', file], /Give --api-key or --api-key-file, not both/],
      [['devices', '--api-key-file', file], /has no key/],
      [['device', '--token-file', join(home.path, 'none')], /Cannot read the key for --token-file: ENOENT/],
    ]
    for (const [args, text] of cases) {
      const { code, stderr } = await home.run(...args)
      expect([code, stderr]).toEqual([2, expect.stringMatching(text)])
    }
  })
})

describe('a server outside of private networks', () => {
  it('is dialled without encryption only if the user says so', async () => {
    await using home = new OrreryHome()
    const refused = await home.run('device', '--ws-server', 'ws://192.0.2.1/ws', '--token', 'x')
    expect([refused.code, refused.stderr]).toEqual([
      2,
      expect.stringMatching(/^orrery: ws:\/\/192\.0\.2\.1 is outside .*--insecure\n$/),
    ])
    const api = await home.run('devices', '--server', 'http://x.invalid')
    expect([api.code, api.stderr]).toEqual([2, expect.stringMatching(/Use https:\/\/, a tunnel, or --insecure/)])
    const flags = ['--insecure', '--max-retries', '1', '--log-level', 'OFF']
    expect((await home.run('device', '--ws-server', 'ws://x.invalid/ws', '--token', 'x', ...flags)).stderr).toContain(
      'Cannot reach',
    )
  })
})
