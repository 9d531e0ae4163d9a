import { once } from 'node:events'
import { createServer } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { WebSocketServer } from 'ws'
import { Certificates, type Certificate } from '../../../test/support/certificates.js'
import { connectProxy } from '../../../test/support/connect-proxy.js'
import { hasPrograms } from '../../../test/support/has-programs.js'
import { tlsProblemOf } from '../src/index.js'
import { WebSocketTransport, fingerprintOf, parseFingerprint, trustingFetch, type ServerTrust } from '../src/node/index.js'

afterEach(() => vi.unstubAllEnvs())

/** A server that takes every socket and answers every request, and remembers the keys that reached it. */
async function secureServer(tls: Pick<Certificate, 'cert' | 'key'> | null) {
  const keys: (string | undefined)[] = []
  const server = tls === null ? createServer() : createSecureServer({ cert: tls.cert, key: tls.key })
  const sockets = new WebSocketServer({ server })
  server.on('upgrade', ({ headers }) => keys.push(headers.authorization))
  server.on('request', ({ headers }, response) => {
    keys.push(headers.authorization)
    response.end('hello')
  })
  server.on('tlsClientError', () => {})
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    port,
    keys,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets.clients) socket.terminate()
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

const headers = { authorization: 'Bearer SECRET' }

/** What becomes of a socket and of a request: `made`, or the problem. */
async function outcomes(port: number, trust: ServerTrust, host = '127.0.0.1'): Promise<unknown[]> {
  const dialled = WebSocketTransport.connect(`wss://${host}:${port}/ws`, { headers, trust }).then(
    async (transport) => {
      await transport.close()
      return 'made'
    },
    (error: unknown) => tlsProblemOf(error) ?? error,
  )
  const fetched = trustingFetch(trust)(`https://127.0.0.1:${port}/`, { headers: new Headers(headers) }).then(
    async (response) => ((await response.text()) === 'hello' ? 'made' : 'other'),
    (error: unknown) => tlsProblemOf(error) ?? error,
  )
  return Promise.all([dialled, fetched])
}

describe.runIf(hasPrograms('openssl'))('the certificate of a server', () => {
  it('counts if it is signed by what is trusted, or is that itself', async () => {
    using made = new Certificates()
    const authority = made.selfSigned('authority')
    const signed = made.signedBy(authority, 'signed')
    const own = made.selfSigned('own')
    for (const { cert, key, ca } of [
      { ...signed, ca: authority.cert },
      { ...own, ca: own.cert },
    ]) {
      await using server = await secureServer({ cert, key })
      expect(await outcomes(server.port, { ca })).toEqual(['made', 'made'])
      expect(await outcomes(server.port, {})).toEqual(['untrusted', 'untrusted'])
      expect(await outcomes(server.port, { ca: made.selfSigned('other').cert })).toEqual(['untrusted', 'untrusted'])
    }
  })

  it('with the expected fingerprint counts for every name and signer, and no other gets the key', async () => {
    using made = new Certificates()
    const signed = made.signedBy(made.selfSigned('authority'), 'signed', 'DNS:elsewhere.example')
    await using server = await secureServer(signed)
    expect(await outcomes(server.port, { fingerprint: fingerprintOf(made.selfSigned('impostor').cert) })).toEqual([
      'other_fingerprint',
      'other_fingerprint',
    ])
    expect(server.keys).toEqual([])
    expect(await outcomes(server.port, { fingerprint: fingerprintOf(signed.cert) })).toEqual(['made', 'made'])
    expect(server.keys).toEqual(['Bearer SECRET', 'Bearer SECRET'])
  })

  it('is not seen by a client that dials without TLS: the error says how to dial', async () => {
    using made = new Certificates()
    await using server = await secureServer(made.selfSigned('own'))
    await expect(WebSocketTransport.connect(`ws://127.0.0.1:${server.port}/ws`)).rejects.toThrow(
      'socket hang up: if it speaks TLS, its address begins with wss://',
    )
  })

  it('for another name does not count', async () => {
    using made = new Certificates()
    const other = made.selfSigned('other', 'DNS:elsewhere.example')
    await using server = await secureServer(other)
    expect(await outcomes(server.port, { ca: other.cert })).toEqual(['other_name', 'other_name'])
  })

  it('is checked through a proxy too', async () => {
    using made = new Certificates()
    const own = made.selfSigned('own', 'DNS:lab.example')
    await using server = await secureServer(own)
    await using proxy = await connectProxy(server.port)
    for (const name of ['HTTPS_PROXY', 'https_proxy']) vi.stubEnv(name, proxy.url)
    for (const name of ['NO_PROXY', 'no_proxy']) vi.stubEnv(name, '')
    const dial = async (trust: ServerTrust): Promise<string | null> => {
      try {
        await (await WebSocketTransport.connect('wss://lab.example/ws', { headers, trust })).close()
        return null
      } catch (error) {
        return tlsProblemOf(error)
      }
    }
    expect(await dial({ fingerprint: fingerprintOf(made.selfSigned('impostor').cert) })).toBe('other_fingerprint')
    expect(await dial({})).toBe('untrusted')
    expect(server.keys).toEqual([])
    expect(await dial({ fingerprint: fingerprintOf(own.cert) })).toBeNull()
    expect(await dial({ ca: own.cert })).toBeNull()
    expect(proxy.asked).toHaveLength(4)
  })

  it('has a fingerprint as openssl prints it', () => {
    using made = new Certificates()
    const fingerprint = fingerprintOf(made.selfSigned('own').cert)
    const colons = fingerprint.slice(7).toUpperCase().match(/../g)?.join(':')
    for (const text of [fingerprint, `sha256 Fingerprint=${colons}`, `SHA256:${colons}`, ` ${colons} `])
      expect(parseFingerprint(text)).toBe(fingerprint)
    for (const text of ['', 'sha256:', 'sha256:12', `sha1:${'a'.repeat(40)}`])
      expect(() => parseFingerprint(text)).toThrow('a fingerprint is sha256: and 64 digits')
  })
})

describe('a server without TLS', () => {
  it('dialled with wss, says so', async () => {
    await using server = await secureServer(null)
    for (const trust of [{}, { fingerprint: `sha256:${'0'.repeat(64)}` }])
      expect(await outcomes(server.port, trust)).toEqual(['not_tls', 'not_tls'])
    const { port } = server
    await expect(WebSocketTransport.connect(`wss://127.0.0.1:${port}/ws`)).rejects.toMatchObject({
      message: `Failed to connect to wss://127.0.0.1:${port}/ws: it does not speak TLS at this port`,
    })
  })
})
