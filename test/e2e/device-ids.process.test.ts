import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { OrreryHome } from '../support/orrery-process.js'

describe('the id of a device on the command line', () => {
  it("stays the device's own when the server of its home restarts on another port", async () => {
    await using home = new OrreryHome()
    for (let start = 0; start < 2; start += 1) {
      const up = await home.up()
      expect(JSON.parse((await home.run('devices', '--json')).stdout)).toMatchObject({
        devices: [{ status: 'online' }],
      })
      expect((await up.kill('SIGTERM')).code).toBe(0)
    }
  })

  it('is refused to another device, which learns how to free it, and free once it is forgotten', async () => {
    await using home = new OrreryHome()
    const server = home.start('server', '--port', '0')
    const [, url = ''] = await server.said(/(http:\/\/\S+:\d+)/)
    const first = home.start('device', '--client-id', 'lab')
    await first.said(/lab/)
    for (;;) {
      const { stdout } = await home.run('devices', '--json')
      if (stdout.includes('"online"')) break
    }
    await first.kill('SIGTERM')
    await using elsewhere = new OrreryHome({ ORRERY_API_KEY: readFileSync(join(home.path, 'device.key'), 'utf8').trim() })
    const other = elsewhere.start('device', '--client-id', 'lab', '--ws-server', url)
    await other.said(/orrery devices forget lab/)
    expect(await home.run('devices', 'forget', 'lab')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('is forgotten') as string,
    })
    for (;;) {
      const { stdout } = await home.run('devices', '--json')
      if (stdout.includes('"online"')) break
    }
    expect((await home.run('devices', 'forget', 'nobody')).code).toBe(1)
  })
})
