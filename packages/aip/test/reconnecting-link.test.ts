import { once } from 'node:events'
import type { WebSocket } from 'ws'
import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../../test/support/manual-clock.js'
import { encodeMessage, buildMessage } from '../src/codec.js'
import { AipError } from '../src/define-errors.js'
import { silentLogger } from '../src/logger.js'
import { registerConfirm } from '../src/messages/to-client.js'
import type { OfferFields } from '../src/messages/negotiation.js'
import { heartbeatLoop } from '../src/node/heartbeat-loop.js'
import { ReconnectingLink, receiveAll, type Down, type LinkOptions } from '../src/node/reconnecting-link.js'
import { registerClient } from '../src/node/register-client.js'
import { listen, type Listener } from './support/sockets.js'

const WAIT = 1000

/** A link that registers, and what it did, step by step. */
class Rig implements AsyncDisposable {
  readonly clock = new ManualClock()
  readonly steps: string[] = []
  readonly downs: Down[] = []
  readonly stopping = new AbortController()
  readonly link: ReconnectingLink
  readonly end: Promise<string>
  readonly #listener: Listener

  constructor(listener: Listener, options: Partial<LinkOptions> = {}) {
    this.#listener = listener
    this.link = new ReconnectingLink({
      url: listener.url,
      clock: this.clock,
      logger: silentLogger,
      signal: this.stopping.signal,
      register: async (connection) => {
        const offer: OfferFields = { version: 1, features: ['resume'] }
        const outcome = await registerClient(connection, { clientId: 'd1', clientType: 'device', metadata: {}, offer })
        this.steps.push(outcome.accepted ? 'registered' : outcome.reason)
      },
      listen: ({ transport }) =>
        receiveAll(transport, (frame) => {
          this.steps.push(String(frame))
          return Promise.resolve()
        }),
      beat: ({ heartbeat }, signal) => heartbeatLoop(heartbeat, { clientId: 'd1', clientType: 'device', intervalS: 60, signal }),
      ended: () => void this.steps.push('ended'),
      retry: (down) => {
        this.steps.push('retry')
        this.downs.push(down)
        return WAIT
      },
      ...options,
    })
    this.end = this.link.run()
  }

  /** The server's end of the next connection, once the device has registered there. */
  async accept(result: unknown = null): Promise<WebSocket> {
    const peer = await this.#listener.accept()
    await once(peer, 'message')
    peer.send(encodeMessage(buildMessage(registerConfirm, { result }, 0)))
    await expect.poll(() => this.steps.at(-1)).toBe('registered')
    return peer
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stopping.abort()
    await this.link.drop()
    await this.end
    await this.#listener[Symbol.asyncDispose]()
  }
}

describe('a link to a server', () => {
  it('registers, receives in order, and is made again after the wait when it drops', async () => {
    await using rig = new Rig(await listen())
    const peer = await rig.accept()
    peer.send('one')
    peer.send('two')
    peer.close(1001, 'bye')
    await expect.poll(() => rig.steps).toEqual(['registered', 'one', 'two', 'ended', 'retry'])
    expect(rig.downs).toEqual([{ error: null, closed: { code: 1001, reason: 'bye' } }])
    const first = rig.link.connection
    await rig.clock.advance(WAIT - 1)
    expect(rig.link.connection).toBe(first)
    void rig.clock.advance(1)
    await rig.accept()
    expect(rig.link.connection).not.toBe(first)
  })

  it('takes the next frame only when the one before was taken', async () => {
    const gate = Promise.withResolvers<void>()
    const taken: string[] = []
    await using rig = new Rig(await listen(), {
      listen: ({ transport }) =>
        receiveAll(transport, (frame) => {
          taken.push(String(frame))
          return gate.promise
        }),
    })
    const peer = await rig.accept()
    peer.send('one')
    peer.send('two')
    await expect.poll(() => taken).toEqual(['one'])
    gate.resolve()
    await expect.poll(() => taken).toEqual(['one', 'two'])
  })

  it('ends a connection on which no heartbeat can be sent', async () => {
    await using rig = new Rig(await listen())
    const peer = await rig.accept()
    rig.link.connection!.heartbeat.sendHeartbeat = () => Promise.reject(new Error('cut off'))
    const closed = once(peer, 'close')
    await rig.clock.advance(60_000)
    await closed
    await expect.poll(() => rig.steps.at(-1)).toBe('retry')
  })

  it('asks how to continue after a failed attempt, and gives up if the answer is null', async () => {
    const listener = await listen()
    await using rig = new Rig(listener, {
      url: 'ws://127.0.0.1:1/ws',
      retry: ({ error, closed }) => {
        expect(closed).toBeNull()
        expect(error).toMatchObject({ code: 'CONNECT_FAILED' })
        return null
      },
    })
    expect(await rig.end).toBe('given_up')
  })

  it('reports a registration that throws, with its connection closed', async () => {
    const listener = await listen()
    await using rig = new Rig(listener, { register: () => Promise.reject(new AipError('REGISTRATION_FAILED', 'no')) })
    const peer = await listener.accept()
    if (peer.readyState !== peer.CLOSED) await once(peer, 'close')
    await expect.poll(() => rig.steps).toEqual(['ended', 'retry'])
    expect(rig.downs).toMatchObject([{ error: { code: 'REGISTRATION_FAILED' }, closed: null }])
  })

  it('gives a server 10 s to answer the registration', async () => {
    const listener = await listen()
    await using rig = new Rig(listener)
    await once(await listener.accept(), 'message')
    await rig.clock.advance(10_000)
    await expect.poll(() => rig.downs).toMatchObject([{ error: { code: 'TIMEOUT' } }])
  })

  it('pings at the negotiated interval with a server that resumes', async () => {
    await using rig = new Rig(await listen())
    const peer = await rig.accept({ aip: { features: ['resume'], heartbeat_ms: 900 } })
    const ping = once(peer, 'ping')
    await rig.clock.advance(300)
    await ping
    expect([...rig.link.connection!.features]).toEqual(['resume'])
  })

  it('makes no other connection once its signal aborts, and leaves no timer behind', async () => {
    const rig = new Rig(await listen())
    await rig.accept()
    await rig[Symbol.asyncDispose]()
    expect(await rig.end).toBe('stopped')
    expect(rig.steps.filter((step) => step === 'retry')).toEqual([])
    expect(rig.clock.pending).toBe(0)
  })
})
