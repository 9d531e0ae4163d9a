import { describe, expect, it } from 'vitest'
import { connectProxy } from '../../../test/support/connect-proxy.js'
import { OrreryHome } from '../../../test/support/orrery-process.js'

describe('a client command behind a proxy', () => {
  it('reaches the server through it, and an error names it', async () => {
    await using home = new OrreryHome()
    const up = await home.up()
    const [, port = ''] = await up.said(/ready at http:\S+:(\d+)/)
    await using proxy = await connectProxy(Number(port))
    const devices = (url: string): ReturnType<OrreryHome['run']> =>
      home.runIn({ HTTP_PROXY: url }, 'devices', '--json', '--insecure', '--server', 'http://orrery.corp.invalid')
    const listed = await devices(proxy.url)
    expect(listed, listed.stderr).toMatchObject({ code: 0 })
    expect(JSON.parse(listed.stdout)).toMatchObject({ devices: [{ status: 'online' }] })
    expect(proxy.asked.map(({ target }) => target)).toEqual(['orrery.corp.invalid:80'])
    await using bad = await connectProxy(Number(port), 502)
    const failed = await devices(bad.url)
    expect(failed.code).toBe(1)
    expect(failed.stderr).toContain(`through the proxy ${bad.url} (HTTP_PROXY)`)
  })
})
