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
    const get = (): Promise<Response> => fetch(`${server.url}/orrery-device.tgz`)
    const missing = await get()
    expect(missing.status).toBe(404)
    expect(await missing.json()).toEqual({ code: 'DEVICE_PACKAGE_MISSING', detail: expect.stringContaining('npm run pack') })
    writeFileSync(devicePackage, 'packed')
    const given = await get()
    expect([given.status, given.headers.get('content-length'), await given.text()]).toEqual([200, '6', 'packed'])
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
