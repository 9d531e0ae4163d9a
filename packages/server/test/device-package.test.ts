import { once } from 'node:events'
import { Agent, get, type IncomingMessage } from 'node:http'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { startTestServer } from '../../../test/support/test-server.js'

describe('a server without a key', () => {
  it('gives the package for devices, or says how to make one', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'orrery-package-'))
    const devicePackage = join(folder, 'orrery-device.tgz')
    await using server = await startTestServer({ devicePackage })
    const ask = (): Promise<Response> => fetch(`${server.url}/orrery-device.tgz`)
    const missing = await ask()
    expect(missing.status).toBe(404)
    expect(await missing.json()).toEqual({ code: 'DEVICE_PACKAGE_MISSING', detail: expect.stringContaining('npm run pack') })
    writeFileSync(devicePackage, 'packed')
    const given = await ask()
    expect([given.status, given.headers.get('content-length'), await given.text()]).toEqual([200, '6', 'packed'])
    rmSync(folder, { recursive: true })
  })

  it('stops as soon as the last answer is read, although its client would keep the connection', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'orrery-package-'))
    const devicePackage = join(folder, 'orrery-device.tgz')
    // More than the system takes from a server whose client does not read.
    writeFileSync(devicePackage, Buffer.alloc(64 * 1024 * 1024))
    const server = await startTestServer({ devicePackage })
    const agent = new Agent({ keepAlive: true })
    const [answer] = (await once(get(`${server.url}/orrery-device.tgz`, { agent }), 'response')) as [IncomingMessage]
    const stopped = server[Symbol.asyncDispose]()
    // From now on the server accepts no connection.
    await expect.poll(() => fetch(`${server.url}/healthz`).catch(() => 'closed')).toBe('closed')
    for await (const _ of answer) continue
    await stopped
    agent.destroy()
    rmSync(folder, { recursive: true })
  })

  it('shows people what it is, and nothing of what it knows', async () => {
    await using server = await startTestServer()
    const page = await fetch(`${server.url}/`)
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'")
    const html = await page.text()
    expect(html).toContain('This is an Orrery server')
    expect(html).not.toContain(new URL(server.url).port)
  })
})
