import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { join } from 'node:path'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import * as fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { connectProxy } from '../../../test/support/connect-proxy.js'
import { ManualClock } from '../../../test/support/manual-clock.js'
import { LIMITS } from '../src/index.js'
import { WebSocketTransport, proxiedFetch, proxyFor } from '../src/node/index.js'
import { listen } from './support/sockets.js'
import { temporaryFolder } from './support/temporary.js'

afterEach(() => vi.unstubAllEnvs())

/** Sets the variables of this process; those of the machine do not count. */
function environment(variables: Record<string, string>): void {
  for (const name of ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'NO_PROXY'])
    for (const each of [name, name.toLowerCase()]) vi.stubEnv(each, variables[each] ?? '')
}
const portOf = (url: string): number => Number(new URL(url).port)

describe('the proxy of an address', () => {
  const proxy = { HTTP_PROXY: 'http://plain:1', HTTPS_PROXY: 'http://secure:2' }
  const shown = (url: string, env: Record<string, string>): string | null => proxyFor(url, env)?.shown ?? null

  it('is that of its kind, in either case, with or without a scheme', () => {
    expect(shown('ws://host/ws', proxy)).toBe('http://plain:1 (HTTP_PROXY)')
    expect(shown('http://host/', proxy)).toBe('http://plain:1 (HTTP_PROXY)')
    expect(shown('wss://host/ws', proxy)).toBe('http://secure:2 (HTTPS_PROXY)')
    expect(shown('https://host/', { ...proxy, https_proxy: 'small:3' })).toBe('http://small:3 (https_proxy)')
    expect(shown('wss://host/ws', { HTTP_PROXY: 'http://plain:1' })).toBeNull()
    expect(shown('wss://host/ws', { HTTPS_PROXY: '', ALL_PROXY: 'https://all:4' })).toBe('https://all:4 (ALL_PROXY)')
    expect(shown('file:///x', proxy)).toBeNull()
    expect(shown('no address', proxy)).toBeNull()
  })

  it('is none for this machine and for what NO_PROXY names', () => {
    for (const host of ['localhost', 'LOCALHOST.', 'app.localhost', '127.0.0.1', '127.9.9.9', '[::1]'])
      expect(shown(`http://${host}:80/`, proxy)).toBeNull()
    for (const [list, host, direct] of [
      ['*', 'a.b', true],
      ['corp.example', 'corp.example', true],
      ['corp.example', 'deep.corp.example', true],
      ['.corp.example', 'deep.corp.example', true],
      ['*.corp.example', 'deep.corp.example', true],
      ['corp.example', 'notcorp.example', false],
      ['other, CORP.example', 'corp.EXAMPLE', true],
      ['corp.example:80', 'corp.example', true],
      ['corp.example:81', 'corp.example', false],
      ['10.0.0.0/8', '10.1.2.3', true],
      ['10.0.0.0/8', '11.1.2.3', false],
      ['10.0.0.0/99', '10.1.2.3', false],
      ['fd00::/8', '[fd00::1]', true],
      ['[fd00::1]:80', '[fd00::1]', true],
      ['0.1', '10.0.0.1', false],
    ] as const)
      expect([list, host, shown(`http://${host}/`, { ...proxy, NO_PROXY: list }) === null]).toEqual([list, host, direct])
  })

  it('is never shown with its password, and a wrong variable is named', () => {
    const secret = 'http://me:s3cret@proxy:8080'
    expect(shown('http://host/', { HTTP_PROXY: secret })).toBe('http://proxy:8080 (HTTP_PROXY)')
    expect(() => proxyFor('http://host/', { HTTP_PROXY: 'socks5://me:s3cret@proxy' })).toThrow(
      'the variable HTTP_PROXY names a proxy of the kind socks5:; only http: and https: are known',
    )
    expect(() => proxyFor('http://host/', { HTTP_PROXY: 'me:s3cret@:::' })).toThrow(
      /^the variable HTTP_PROXY is not the address of a proxy$/,
    )
  })

  it('is found or refused for any variables', () => {
    fc.assert(
      fc.property(fc.webUrl(), fc.string(), fc.string(), (url, value, list) => {
        try {
          proxyFor(url, { http_proxy: value, https_proxy: value, no_proxy: list })
        } catch (error) {
          expect((error as Error).message).toMatch(/^the variable https?_proxy /)
        }
      }),
    )
  })
})

describe('a connection through a proxy', () => {
  const secret = (url: string): string => url.replace('//', '//me:s%33cret@')

  it('reaches a server whose name only the proxy knows, with the key for the proxy alone', async () => {
    await using server = await listen()
    await using proxy = await connectProxy(portOf(server.url))
    environment({ HTTP_PROXY: secret(proxy.url) })
    const transport = await WebSocketTransport.connect('ws://orrery.corp.invalid/ws')
    const peer = await server.accept()
    peer.send('hello')
    expect(await transport.receive()).toBe('hello')
    expect(proxy.asked).toEqual([
      { target: 'orrery.corp.invalid:80', authorization: `Basic ${Buffer.from('me:s3cret').toString('base64')}` },
    ])
    await transport.close()
  })

  it('goes directly to this machine and to what NO_PROXY names', async () => {
    await using server = await listen()
    await using proxy = await connectProxy(1)
    environment({ HTTP_PROXY: proxy.url })
    const transport = await WebSocketTransport.connect(server.url)
    await transport.close()
    environment({ HTTP_PROXY: proxy.url, NO_PROXY: '.invalid' })
    await expect(WebSocketTransport.connect('ws://orrery.corp.invalid/ws')).rejects.toThrow(/ENOTFOUND|EAI_AGAIN/)
    expect(proxy.asked).toEqual([])
  })

  it.each([
    [407, 'asks for another user or password (407)'],
    [502, 'does not lead to orrery.corp.invalid:443: it answers 502'],
  ])('names a proxy that answers %i, without its password', async (status, what) => {
    await using proxy = await connectProxy(1, status)
    environment({ HTTPS_PROXY: secret(proxy.url) })
    const failure = await WebSocketTransport.connect('wss://orrery.corp.invalid/ws').catch((error: unknown) => error)
    expect(failure).toMatchObject({
      code: 'CONNECT_FAILED',
      message: `Failed to connect to wss://orrery.corp.invalid/ws: the proxy ${proxy.url} (HTTPS_PROXY) ${what}`,
    })
    await expect.poll(proxy.open).toBe(0)
  })

  it('names a proxy that is not there, and a variable that is none', async () => {
    await using proxy = await connectProxy(1)
    await proxy[Symbol.asyncDispose]()
    environment({ HTTP_PROXY: proxy.url })
    await expect(WebSocketTransport.connect('ws://a.invalid/')).rejects.toThrow(
      `the proxy ${proxy.url} (HTTP_PROXY) cannot be used: connect ECONNREFUSED`,
    )
    environment({ HTTP_PROXY: 'ftp://x' })
    await expect(WebSocketTransport.connect('ws://a.invalid/')).rejects.toThrow('the variable HTTP_PROXY names a proxy')
  })

  it('gives up a proxy that does not answer, and one whose dial was given up', async () => {
    await using proxy = await connectProxy(1, 'never')
    environment({ HTTP_PROXY: proxy.url })
    const clock = new ManualClock()
    const dialled = WebSocketTransport.connect('ws://a.invalid/', { clock }).catch((error: unknown) => error)
    await expect.poll(() => proxy.asked.length).toBe(1)
    await clock.advance(LIMITS.registrationTime)
    expect(await dialled).toMatchObject({
      message: expect.stringContaining(
        `the proxy ${proxy.url} (HTTP_PROXY) cannot be used: it did not answer in time`,
      ) as unknown,
    })
    await expect.poll(proxy.open).toBe(0)
    const stop = new AbortController()
    const stopped = WebSocketTransport.connect('ws://a.invalid/', { signal: stop.signal }).catch((error: unknown) => error)
    await expect.poll(() => proxy.asked.length).toBe(2)
    stop.abort()
    expect(await stopped).toMatchObject({ code: 'CONNECT_FAILED' })
    await expect.poll(proxy.open).toBe(0)
  })
})

const hasOpenssl = spawnSync('openssl', ['version']).status === 0

describe.skipIf(!hasOpenssl)('an encrypted connection through a proxy', () => {
  it('is checked against the name of the server', async () => {
    await using folder = await temporaryFolder()
    const [key, cert] = [join(folder.path, 'key.pem'), join(folder.path, 'cert.pem')]
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1']
    const subject = ['-subj', '/CN=lab', '-addext', 'subjectAltName=DNS:orrery.corp.invalid']
    execFileSync('openssl', ['req', '-x509', '-nodes', '-days', '1', ...curve, ...subject, '-keyout', key, '-out', cert], {
      stdio: 'ignore',
    })
    const https = createHttpsServer({ key: readFileSync(key), cert: readFileSync(cert) }).listen(0, '127.0.0.1')
    await once(https, 'listening')
    const usual = getCACertificates()
    try {
      await using server = await listen({ server: https }, 'wss')
      await using proxy = await connectProxy(portOf(server.url))
      environment({ HTTPS_PROXY: proxy.url })
      await expect(WebSocketTransport.connect('wss://orrery.corp.invalid/ws')).rejects.toThrow(/self-signed certificate/)
      setDefaultCACertificates([...usual, readFileSync(cert, 'utf8')])
      const transport = await WebSocketTransport.connect('wss://orrery.corp.invalid/ws')
      const peer = await server.accept()
      peer.send('over TLS')
      expect(await transport.receive()).toBe('over TLS')
      await transport.close()
      await expect(WebSocketTransport.connect('wss://another.corp.invalid/ws')).rejects.toThrow(/altnames|does not match/i)
    } finally {
      setDefaultCACertificates(usual)
      https.close()
    }
  })
})

describe('fetch through a proxy', () => {
  it('follows the variables, and names the proxy that failed', async () => {
    const http = createServer((request, response) => response.end(`${request.method} ${request.url}`)).listen(0, '127.0.0.1')
    await once(http, 'listening')
    const { port } = http.address() as AddressInfo
    try {
      await using proxy = await connectProxy(port)
      const reach = proxiedFetch({ HTTP_PROXY: proxy.url })
      const response = await reach('http://mcp.corp.invalid/x', { method: 'POST', body: 'b' })
      expect(await response.text()).toBe('POST /x')
      expect(await (await reach(`http://127.0.0.1:${port}/y`)).text()).toBe('GET /y')
      expect(proxy.asked.map(({ target }) => target)).toEqual(['mcp.corp.invalid:80'])
      await using bad = await connectProxy(port, 502)
      const failure = await proxiedFetch({ HTTP_PROXY: bad.url })('http://mcp.corp.invalid/').catch((error: unknown) => error)
      expect(failure).toMatchObject({
        cause: { message: expect.stringContaining(`through the proxy ${bad.url} (HTTP_PROXY): `) as unknown },
      })
    } finally {
      http.close()
      http.closeAllConnections()
    }
  })
})
