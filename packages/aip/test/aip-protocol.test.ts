import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../../test/support/manual-clock.js'
import type { Outgoing } from '../src/codec.js'
import { heartbeatAck, registerConfirm, type ServerMessage } from '../src/messages/to-client.js'
import { heartbeat, register } from '../src/messages/to-server.js'
import { AIPProtocol, type AnyMessage } from '../src/protocol/aip-protocol.js'
import { createLinkedTransports } from '../src/transport/linked.js'
import { captureLog } from './support/log.js'
import { UUID, type Json } from './support/messages.js'

function connect(dialect?: 'auto' | 'wire' | 'documented') {
  const [near, far] = createLinkedTransports()
  const clientLog = captureLog()
  const serverLog = captureLog()
  const clock = new ManualClock()
  const client = new AIPProtocol(near, {
    side: 'client',
    clock,
    logger: clientLog,
    ...(dialect === undefined ? {} : { dialect }),
  })
  const server = new AIPProtocol(far, { side: 'server', clock, logger: serverLog, ...(dialect === undefined ? {} : { dialect }) })
  return { near, far, client, server, clientLog, serverLog }
}

async function frame(transport: { receive(): Promise<string | Uint8Array> }): Promise<Json> {
  return JSON.parse(String(await transport.receive())) as Json
}

describe('a message', () => {
  it('is not sent when it is larger than the peer takes, in bytes', async () => {
    const { client, far } = connect()
    client.maxFrame = 2000
    const room = 2000 - JSON.stringify({ session_id: null }).length
    await expect(client.sendMessage(heartbeat, { session_id: 'ü'.repeat(room / 2) })).rejects.toMatchObject({
      code: 'MESSAGE_TOO_LARGE',
      message: 'Message exceeds the limit of 2000 bytes',
    })
    await client.sendMessage(heartbeat, { session_id: 'fits' })
    expect((await frame(far))['session_id']).toBe('fits')
  })
})

const PING: ServerMessage = heartbeatAck.schema.parse({ type: 'heartbeat', status: 'ok' })

describe('middleware', () => {
  it('sees outgoing messages in order and incoming ones in reverse', async () => {
    const { client, server } = connect()
    const seen: string[] = []
    for (const name of ['a', 'b', 'c']) {
      client.addMiddleware({
        outgoing: async (outgoing) => {
          await Promise.resolve()
          seen.push(`${name} out`)
          return outgoing
        },
        incoming: (message) => {
          seen.push(`${name} in`)
          return message
        },
      })
    }
    await client.sendMessage(heartbeat, {})
    await server.sendMessage(heartbeatAck, {})
    await client.receiveMessage()
    expect(seen).toEqual(['a out', 'b out', 'c out', 'c in', 'b in', 'a in'])
  })

  it('may replace a message, and may have one direction only', async () => {
    const { client, server, far } = connect()
    const rename = (outgoing: Outgoing): Outgoing => ({ ...outgoing, message: { ...outgoing.message, client_id: 'replaced' } })
    client.addMiddleware({ outgoing: rename })
    client.addMiddleware({ incoming: (message: AnyMessage) => ({ ...message, session_id: 'replaced' }) })
    await client.sendMessage(heartbeat, { client_id: 'original' })
    expect(await frame(far)).toMatchObject({ client_id: 'replaced' })
    await server.sendMessage(heartbeatAck, {})
    expect(await client.receiveMessage()).toMatchObject({ session_id: 'replaced' })
  })
})

describe('handlers', () => {
  it('of one type all get the message, one after the other', async () => {
    const { client } = connect()
    const seen: string[] = []
    client.registerHandler('heartbeat', async (message) => {
      await Promise.resolve()
      seen.push(`first ${message.type}`)
    })
    client.registerHandler('heartbeat', (message) => void seen.push(`second ${message.type}`))
    client.registerHandler('command', () => void seen.push('never'))
    await client.dispatchMessage(PING)
    expect(seen).toEqual(['first heartbeat', 'second heartbeat'])
  })

  it('that fail are logged, not thrown, and the others still run', async () => {
    const { client, clientLog } = connect()
    let ran = false
    client.registerHandler('heartbeat', () => {
      throw new Error('thrown')
    })
    client.registerHandler('heartbeat', () => Promise.reject(new Error('rejected')))
    client.registerHandler('heartbeat', () => {
      ran = true
    })
    await client.dispatchMessage(PING)
    expect(clientLog.lines.map((line) => line.replace(/\n[^]*/, ''))).toEqual([
      'error Error in handler for heartbeat: thrown',
      'error Error: thrown',
      'error Error in handler for heartbeat: rejected',
      'error Error: rejected',
    ])
    expect(ran).toBe(true)
  })

  it('that are missing are warned of', async () => {
    const { client, clientLog } = connect()
    await client.dispatchMessage(PING)
    expect(clientLog.lines).toEqual(['warn No handler for message type: heartbeat'])
  })
})

describe('the dialect', () => {
  it('is that of the wire until a frame was read', async () => {
    const { server, near } = connect()
    expect(server.dialect).toBe('wire')
    await server.sendMessage(registerConfirm, {})
    expect(await frame(near)).toMatchObject({ type: 'heartbeat', status: 'ok' })
  })

  it('auto follows the first frame, not later ones', async () => {
    const { server, near } = connect('auto')
    await near.send('{"type":"REGISTER","client_id":"a"}')
    await server.receiveMessage()
    await near.send('{"type":"heartbeat"}')
    await server.receiveMessage()
    expect(server.dialect).toBe('documented')
    await server.sendMessage(registerConfirm, {})
    expect(await frame(near)).toMatchObject({ type: 'REGISTER_CONFIRM', status: 'success' })
    await server.sendMessage(heartbeatAck, {})
    expect(await frame(near)).toMatchObject({ type: 'HEARTBEAT_ACK', status: 'ok' })
  })

  it('auto stays with the wire when the first frame is of the wire', async () => {
    const { server, near } = connect('auto')
    await near.send('{"type":"register"}')
    await near.send('{"type":"HEARTBEAT"}')
    await server.receiveMessage()
    await server.receiveMessage()
    expect(server.dialect).toBe('wire')
  })

  it('auto is not settled by a frame that cannot be read', async () => {
    const { server, near } = connect('auto')
    await near.send('{"type":"nonsense"}')
    await expect(server.receiveMessage()).rejects.toMatchObject({ code: 'INVALID_MESSAGE' })
    await near.send('{"type":"REGISTER"}')
    expect(await server.receiveMessage()).toMatchObject({ type: 'register' })
    expect(server.dialect).toBe('documented')
  })

  it.each(['wire', 'documented'] as const)('%s is kept whatever comes', async (dialect) => {
    const { server, near } = connect(dialect)
    await near.send(dialect === 'wire' ? '{"type":"REGISTER"}' : '{"type":"register"}')
    await server.receiveMessage()
    expect(server.dialect).toBe(dialect)
  })
})

describe('sending and receiving', () => {
  it('sends through its transport what it completes [S-095]', async () => {
    const { client, far } = connect()
    await client.sendMessage(register, { client_id: 'a' })
    expect(await frame(far)).toMatchObject({
      type: 'register',
      client_id: 'a',
      status: 'ok',
      timestamp: '2026-01-01T00:00:00.000000+00:00',
    })
    await client.transport.send('{"type":"error","error":"sent directly"}')
    expect(await frame(far)).toEqual({ type: 'error', error: 'sent directly' })
  })

  it('after a frame that cannot be read the next one can', async () => {
    const { client, server, near } = connect()
    await near.send('nonsense')
    await client.sendMessage(heartbeat, {})
    await expect(server.receiveMessage()).rejects.toMatchObject({ code: 'INVALID_MESSAGE' })
    expect(await server.receiveMessage()).toMatchObject({ type: 'heartbeat' })
  })

  it('reads only what is meant for its side', async () => {
    const { client, server } = connect()
    await client.transport.send('{"type":"command"}')
    await expect(server.receiveMessage()).rejects.toMatchObject({ code: 'INVALID_MESSAGE' })
    await server.transport.send('{"type":"register"}')
    await expect(client.receiveMessage()).rejects.toMatchObject({ code: 'INVALID_MESSAGE' })
  })

  it('is connected as long as its transport is, and rejects after it [S-255]', async () => {
    const { client, server } = connect()
    expect(client.transport.state).toBe('connected')
    const waiting = client.receiveMessage()
    await server.transport.close(1001, 'leaving')
    expect(client.transport.state).not.toBe('connected')
    await expect(waiting).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' })
    await expect(client.sendMessage(heartbeat, {})).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' })
    expect(await client.transport.closed).toEqual({ code: 1001, reason: 'leaving' })
  })

  it('a message that cannot be written is a rejection, not an exception', async () => {
    const { client } = connect()
    const circular: Json = {}
    circular['self'] = circular
    const sending = client.sendMessage(heartbeat, { metadata: circular })
    await expect(sending).rejects.toThrow(TypeError)
  })
})

describe('sendError', () => {
  it('of the server carries the text, and the response id if one is given [S-248]', async () => {
    const { server, near } = connect()
    await server.sendError('no')
    const first = await frame(near)
    expect(first).toMatchObject({ type: 'error', status: 'error', error: 'no' })
    expect(first['response_id']).toMatch(UUID)
    expect(first['timestamp']).toBe('2026-01-01T00:00:00.000000+00:00')
    await server.sendError('no', 'r1')
    expect(await frame(near)).toMatchObject({ error: 'no', response_id: 'r1' })
  })

  it('of a client is the error of a client, which the server can read', async () => {
    const { client, server } = connect()
    await client.sendError('no', 'r1')
    expect(await server.receiveMessage()).toMatchObject({ type: 'error', status: 'error', error: 'no', client_type: 'device' })
  })
})

describe('sendAck', () => {
  it('of the server acknowledges, with a session id a task', async () => {
    const { server, near } = connect()
    await server.sendAck()
    const first = await frame(near)
    expect(first).toMatchObject({ type: 'heartbeat', status: 'ok', session_id: null })
    expect(first['response_id']).toMatch(UUID)
    await server.sendAck('s1', 'r1')
    expect(await frame(near)).toMatchObject({ type: 'heartbeat', session_id: 's1', response_id: 'r1' })
  })

  it.each(['wire', 'documented'] as const)('of a client is one that the server can read, also %s', async (dialect) => {
    const { client, server } = connect(dialect)
    await client.sendAck('s1', 'r1')
    expect(await server.receiveMessage()).toMatchObject({
      type: 'heartbeat',
      status: 'ok',
      session_id: 's1',
      client_type: 'device',
    })
  })
})

describe('binary messages', () => {
  it('are a text frame that describes them and one binary frame', async () => {
    const { client, far } = connect()
    const data = new Uint8Array([1, 2, 3])
    await client.sendBinaryMessage(data, { filename: 'a.bin', mime_type: 'x/y' })
    expect(await frame(far)).toEqual({
      type: 'binary_data',
      size: 3,
      timestamp: '2026-01-01T00:00:00.000000+00:00',
      filename: 'a.bin',
      mime_type: 'x/y',
    })
    expect(await far.receive()).toEqual(data)
  })

  it('come through as they were sent, also empty', async () => {
    const { client, server } = connect()
    for (const data of [new Uint8Array([0, 255]), new Uint8Array(0)]) {
      await client.sendBinaryMessage(data, { tag: 1 })
      const received = await server.receiveBinaryMessage()
      expect(received.data).toEqual(data)
      expect(received.metadata).toMatchObject({ type: 'binary_data', size: data.byteLength, tag: 1 })
    }
  })

  it.each([
    ['text where the data should be', ['{"type":"binary_data","size":1}', 'text'], 'BINARY_EXPECTED'],
    ['less data than announced', ['{"type":"binary_data","size":2}', new Uint8Array(1)], 'SIZE_MISMATCH'],
    ['more data than announced', ['{"type":"binary_data","size":0}', new Uint8Array(1)], 'SIZE_MISMATCH'],
    ['a header that is not JSON', ['nonsense'], 'INVALID_MESSAGE'],
    ['data without a header', [new Uint8Array([1])], 'INVALID_MESSAGE'],
  ] as [string, (string | Uint8Array)[], string][])('refuses %s', async (_, frames, code) => {
    const { near, server } = connect()
    for (const each of frames) await near.send(each)
    await expect(server.receiveBinaryMessage()).rejects.toMatchObject({ code })
  })

  it.each([
    ['"other"', 'other'],
    ['{"toString":1}', '{"toString":1}'],
    ['null', 'null'],
  ])('only warn of the type %s', async (type, shown) => {
    const { near, server, serverLog } = connect()
    await near.send(`{"type":${type}}`)
    await near.send(new Uint8Array([7]))
    expect((await server.receiveBinaryMessage()).data).toEqual(new Uint8Array([7]))
    expect(serverLog.lines).toEqual([`warn Expected binary_data metadata, got: ${shown}`])
  })
})
