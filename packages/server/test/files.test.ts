import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import { describe, expect, it } from 'vitest'
import { AIPProtocol, LIMITS, errorText } from '@orrery/aip'
import { WebSocketTransport, receiveContent, sendContent } from '@orrery/aip/node'
import { ManualClock } from '../../../test/support/manual-clock.js'
import { DEVICE_KEY, OPERATOR_KEY, startTestServer, type TestServer } from '../../../test/support/test-server.js'
import { WireClient, type Json } from '../../../test/support/wire-client.js'
import type { ServerOptions } from '../src/index.js'
import { ERROR_STATUS } from '../src/http/error-status.js'

const MIB = 1024 * 1024
const KEY = { 'x-api-key': OPERATOR_KEY }
const md5 = (data: Uint8Array | string): string => createHash('md5').update(data).digest('hex')

/** A device that does only what a test says. */
class ScriptedDevice {
  readonly wire: WireClient
  readonly key: string
  readonly #server: TestServer

  private constructor(server: TestServer, wire: WireClient, key: string) {
    this.#server = server
    this.wire = wire
    this.key = key
  }

  static async register(server: TestServer, id: string, features = ['files', 'cancel']): Promise<ScriptedDevice> {
    const wire = await WireClient.connect(server.url, DEVICE_KEY)
    wire.send({ type: 'register', client_id: id, metadata: { platform: 'linux', aip: { version: 1, features } } })
    const confirmation = await wire.next()
    const { transfer_key: key = '' } = ((confirmation['result'] as Json | null)?.['aip'] ?? {}) as { transfer_key?: string }
    return new ScriptedDevice(server, wire, key)
  }

  /** The call of a transfer tool that comes next. */
  async called(): Promise<{ command: Json; tool: string; parameters: Json; id: string }> {
    const command = await this.wire.next()
    const [action] = command['actions'] as [{ tool_name: string; parameters: Json }]
    return { command, tool: action.tool_name, parameters: action.parameters, id: String(action.parameters['transfer_id']) }
  }

  /** Dials a transfer as a device does. Rejects when it is refused. */
  async dial(id: string, { key = this.key, token = DEVICE_KEY } = {}): Promise<AIPProtocol<'client'>> {
    const url = `${this.#server.url.replace('http', 'ws')}/ws/transfers/${id}?token=${token}`
    const headers: Record<string, string> = key === '' ? {} : { 'x-orrery-transfer-key': key }
    return new AIPProtocol(await WebSocketTransport.connect(url, { headers }), { side: 'client' })
  }

  /** Answers a command with a failure. */
  fail({ command }: { command: Json }, error: string): void {
    const [action] = command['actions'] as [Json]
    this.wire.send({
      type: 'command_results',
      status: 'continue',
      session_id: command['session_id'],
      prev_response_id: command['response_id'],
      action_results: [{ status: 'failure', error, result: null, namespace: 'files', call_id: action['call_id'] }],
    })
  }
}

async function withDevice(options: Partial<ServerOptions> = {}, features?: string[]) {
  const server = await startTestServer(options)
  const device = await ScriptedDevice.register(server, 'd1', features)
  const url = `${server.url}/api/devices/d1/files?path=/data/big.bin`
  return {
    server,
    device,
    get: (init: RequestInit = {}) => fetch(url, { headers: KEY, ...init }),
    put: (body: string, more = '', init: RequestInit = {}) => fetch(url + more, { method: 'PUT', headers: KEY, body, ...init }),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

async function* pieces(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text)
}

/** As many bytes as wanted, counted. */
async function* endless(count: (bytes: number) => void): AsyncGenerator<Uint8Array> {
  for (;;) {
    count(MIB)
    yield Buffer.alloc(MIB)
  }
}

/** Waits until a number stops changing while the server answers many requests. */
async function settled(server: TestServer, value: () => number): Promise<number> {
  for (let last = -1, same = 0; ;) {
    for (let turn = 0; turn < 10; turn += 1) await server.api('/api/devices')
    same = value() === last ? same + 1 : 0
    last = value()
    if (same === 5) return last
  }
}

describe('a file from a device', () => {
  it('comes as it is sent, with its length and name, and the session says what the device says', async () => {
    await using test = await withDevice()
    const response = test.get()
    const call = await test.device.called()
    expect(call).toMatchObject({ tool: 'send_file', parameters: { path: '/data/big.bin' } })
    const aip = await test.device.dial(call.id)
    await sendContent(aip, pieces('hello ', 'world'), { filename: 'größe "1".bin', size: 11, chunkBytes: 4 })
    expect(await aip.transport.closed).toMatchObject({ code: 1000 })
    test.device.wire.answer(call.command, { path: '/data/big.bin', bytes: 11, checksum: md5('hello world') })
    const answer = await response
    expect(await answer.text()).toBe('hello world')
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-length': '11',
      'content-type': 'application/octet-stream',
      'content-disposition': `attachment; filename="gr__e _1_.bin"; filename*=UTF-8''gr%C3%B6%C3%9Fe%20%221%22.bin`,
    })
    const session = await test.server.api(`/api/sessions/${answer.headers.get('x-orrery-session-id')}`)
    expect(session.body).toMatchObject({ status: 'completed', result: [{ result: { checksum: md5('hello world') } }] })
  })

  it('of no bytes comes too', async () => {
    await using test = await withDevice()
    const response = test.get()
    const call = await test.device.called()
    const aip = await test.device.dial(call.id)
    await sendContent(aip, pieces(), { filename: 'empty', size: 0 })
    await aip.transport.closed
    test.device.wire.answer(call.command)
    expect(await (await response).text()).toBe('')
  })

  it('whose checksum is wrong never comes to its full length', async () => {
    await using test = await withDevice()
    const response = test.get()
    const aip = await test.device.dial((await test.device.called()).id)
    const start = { type: 'file_transfer_start', filename: 'x', size: 4, chunk_size: 2, total_chunks: 2 }
    await aip.transport.send(JSON.stringify(start))
    await aip.sendBinaryMessage(Buffer.from('ab'))
    await aip.sendBinaryMessage(Buffer.from('cd'))
    await aip.transport.send(JSON.stringify({ type: 'file_transfer_complete', checksum: md5('other') }))
    await expect((await response).text()).rejects.toThrow('terminated')
  })

  it('that is cut off in the middle is an answer that is cut off, and its session ends', async () => {
    const clock = new ManualClock()
    await using test = await withDevice({ clock })
    const response = test.get()
    const aip = await test.device.dial((await test.device.called()).id)
    await aip.transport.send(
      JSON.stringify({ type: 'file_transfer_start', filename: 'x', size: 6, chunk_size: 2, total_chunks: 3 }),
    )
    // The last chunk is kept back, so the first comes with the second.
    await aip.sendBinaryMessage(Buffer.from('ab'))
    await aip.sendBinaryMessage(Buffer.from('cd'))
    const answer = await response
    aip.transport.terminate()
    const text = answer.text().catch((error: unknown) => error)
    // The device, which could still explain itself, has so long for that.
    while (!clock.waits.includes(LIMITS.transferEnd)) await test.server.api('/api/devices')
    await clock.advance(LIMITS.transferEnd)
    expect(await text).toBeInstanceOf(TypeError)
    expect(await test.device.wire.next()).toMatchObject({ type: 'cancel' })
  })

  it('is described to HEAD, and its transfer ends there', async () => {
    await using test = await withDevice()
    const response = test.get({ method: 'HEAD' })
    const aip = await test.device.dial((await test.device.called()).id)
    const sending = sendContent(
      aip,
      endless(() => {}),
      { filename: 'x', size: 1024 * MIB },
    )
    const answer = await response
    expect([answer.status, answer.headers.get('content-length')]).toEqual([200, String(1024 * MIB)])
    await expect(sending).rejects.toMatchObject({ code: expect.stringMatching(/CONNECTION_CLOSED|SEND_FAILED/) as unknown })
    expect(await test.device.wire.next()).toMatchObject({ type: 'cancel' })
  })

  it('is cancelled at the device when the caller no longer wants it', async () => {
    await using test = await withDevice()
    const gone = new AbortController()
    const response = test.get({ signal: gone.signal })
    const aip = await test.device.dial((await test.device.called()).id)
    const sending = sendContent(
      aip,
      endless(() => {}),
      { filename: 'x', size: 1024 * MIB },
    )
    await response
    gone.abort()
    await expect(sending).rejects.toMatchObject({ code: expect.stringMatching(/CONNECTION_CLOSED|SEND_FAILED/) as unknown })
    expect(await test.device.wire.next()).toMatchObject({ type: 'cancel' })
  })

  it('is cancelled at the device when the caller no longer waits for it', async () => {
    await using test = await withDevice()
    const gone = new AbortController()
    const response = test.get({ signal: gone.signal }).catch(() => {})
    const { id } = await test.device.called()
    gone.abort()
    await response
    expect(await test.device.wire.next()).toMatchObject({ type: 'cancel' })
    await expect(test.device.dial(id)).rejects.toMatchObject({ code: 'UNAUTHORIZED' })
  })

  it('is sent no faster than it is read, and a reader that has stopped does not keep the server from ending', async () => {
    await using test = await withDevice()
    const response = test.get()
    const aip = await test.device.dial((await test.device.called()).id)
    let sent = 0
    const sending = sendContent(
      aip,
      endless((bytes) => (sent += bytes)),
      { filename: 'x', size: 512 * MIB },
    )
    sending.catch(() => {})
    const answer = await response
    expect(await settled(test.server, () => sent)).toBeLessThan(128 * MIB)
    await test.server.server.stop()
    await expect(sending).rejects.toThrow()
    await expect(answer.text()).rejects.toThrow('terminated')
  })

  it('on which nothing moves is given up', async () => {
    const clock = new ManualClock()
    await using test = await withDevice({ clock })
    const response = test.get()
    const aip = await test.device.dial((await test.device.called()).id)
    await aip.transport.send(
      JSON.stringify({ type: 'file_transfer_start', filename: 'x', size: 6, chunk_size: 2, total_chunks: 3 }),
    )
    await aip.sendBinaryMessage(Buffer.from('ab'))
    await aip.sendBinaryMessage(Buffer.from('cd'))
    const text = (await response).text()
    text.catch(() => {})
    await clock.advance(LIMITS.transferSilence - 1)
    expect(aip.transport.state).toBe('connected')
    await clock.advance(1)
    await expect(text).rejects.toThrow('terminated')
    expect(await test.device.wire.next()).toMatchObject({ type: 'cancel' })
  })

  it('ends with its session', async () => {
    await using test = await withDevice()
    const response = test.get()
    const call = await test.device.called()
    const aip = await test.device.dial(call.id)
    await test.server.api(`/api/sessions/${String(call.command['session_id'])}/cancel`, {})
    expect(await (await response).json()).toMatchObject({ code: 'USER_CANCELLED' })
    expect(await aip.transport.closed).toMatchObject({ code: 1006 })
  })
})

describe('a file for a device', () => {
  it('goes as it is, and the answer is what the device has written', async () => {
    await using test = await withDevice()
    const response = test.put('hello world', '&overwrite=true')
    const call = await test.device.called()
    expect(call).toMatchObject({ tool: 'receive_file', parameters: { path: '/data/big.bin', size: 11, overwrite: true } })
    const aip = await test.device.dial(call.id)
    const { size, chunks } = await receiveContent(aip)
    let text = ''
    for await (const chunk of chunks) text += Buffer.from(chunk).toString()
    expect({ size, text }).toEqual({ size: 11, text: 'hello world' })
    await aip.transport.close(1000)
    const written = { path: '/data/big.bin', bytes: 11, checksum: md5('hello world'), created: false }
    test.device.wire.answer(call.command, written)
    const answer = await response
    expect(answer.status).toBe(200)
    expect(await answer.json()).toEqual({ session_id: call.command['session_id'], ...written })
  })

  it('is not replaced unless that is asked for', async () => {
    await using test = await withDevice()
    const response = test.put('x')
    const call = await test.device.called()
    expect(call.parameters['overwrite']).toBe(false)
    test.device.fail(call, errorText('FILE_EXISTS', { path: '/data/big.bin' }))
    expect((await response).status).toBe(409)
  })

  it('without a length, or too large for any device, is refused', async () => {
    await using test = await withDevice()
    const chunked = test.put('', '', { body: ReadableStream.from(pieces('abc')), duplex: 'half' })
    expect(await (await chunked).json()).toMatchObject({ code: 'LENGTH_REQUIRED' })
    const huge = httpRequest(`${test.server.url}/api/devices/d1/files?path=x`, {
      method: 'PUT',
      headers: { ...KEY, 'content-length': String(LIMITS.file + 1) },
    })
    huge.flushHeaders()
    const [answer] = (await once(huge, 'response')) as [{ statusCode: number }]
    expect(answer.statusCode).toBe(413)
    huge.destroy()
  })

  it('that is refused is answered at once, however much of it is still to come', async () => {
    await using test = await withDevice()
    let taken = 0
    const body = ReadableStream.from(endless((bytes) => (taken += bytes)))
    const headers = { ...KEY, 'content-length': String(1024 * MIB) }
    const response = test.put('', '', { body, headers, duplex: 'half', redirect: 'error', window: null })
    test.device.fail(await test.device.called(), errorText('POLICY_DENIED', { rule: '1', detail: 'no' }))
    expect(await (await response).json()).toMatchObject({ code: 'POLICY_DENIED' })
    expect(taken).toBeLessThan(1024 * MIB)
  })

  it('whose device goes away in the middle is an error', async () => {
    const clock = new ManualClock()
    await using test = await withDevice({ clock })
    const response = test.put('x'.repeat(8 * MIB))
    const aip = await test.device.dial((await test.device.called()).id)
    await receiveContent(aip)
    aip.transport.terminate()
    while (!clock.waits.includes(LIMITS.transferEnd)) await test.server.api('/api/devices')
    await clock.advance(LIMITS.transferEnd)
    const answer = await response
    expect(answer.status).toBe(502)
    expect(await answer.json()).toMatchObject({ code: 'TRANSFER_CUT' })
    const { body } = await test.server.api('/api/sessions')
    expect(body['sessions']).toMatchObject([
      { status: 'failed', error: expect.stringContaining('ended in the middle') as string },
    ])
  })

  it('of which the device says why it stopped is answered with that', async () => {
    await using test = await withDevice()
    const response = test.put('x'.repeat(8 * MIB))
    const call = await test.device.called()
    const aip = await test.device.dial(call.id)
    await receiveContent(aip)
    await aip.transport.close(1000)
    test.device.fail(call, errorText('FILE_FAILED', { path: '/data/big.bin', detail: 'no space left on device' }))
    expect(await (await response).json()).toEqual({
      code: 'FILE_FAILED',
      detail: "'/data/big.bin': no space left on device",
    })
  })

  it('that is cut off is cut at the device too', async () => {
    await using test = await withDevice()
    const sending = httpRequest(`${test.server.url}/api/devices/d1/files?path=x`, {
      method: 'PUT',
      headers: { ...KEY, 'content-length': String(8 * MIB) },
    })
    sending.on('error', () => {})
    sending.write('the beginning')
    const aip = await test.device.dial((await test.device.called()).id)
    const { chunks } = await receiveContent(aip)
    sending.destroy()
    await expect(chunks.next()).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' })
    expect(await test.device.wire.next()).toMatchObject({ type: 'cancel' })
  })

  it('is read no faster than the device takes it', async () => {
    await using test = await withDevice()
    let read = 0
    const gone = new AbortController()
    const count = (bytes: number): void => {
      gone.signal.throwIfAborted()
      read += bytes
    }
    const body = ReadableStream.from(endless(count))
    const headers = { ...KEY, 'content-length': String(512 * MIB) }
    const init = { body, headers, duplex: 'half', redirect: 'error', window: null, signal: gone.signal } as const
    const response = test.put('', '', init).catch(() => {})
    const aip = await test.device.dial((await test.device.called()).id)
    expect(await settled(test.server, () => read)).toBeLessThan(128 * MIB)
    gone.abort()
    await response
    aip.transport.terminate()
  })
})

describe('what the device says', () => {
  it.each([
    ['POLICY_DENIED', errorText('POLICY_DENIED', { rule: 'default', detail: 'receive_file' })],
    ['PATH_OUTSIDE_ROOTS', errorText('PATH_OUTSIDE_ROOTS', { path: '/x', roots: '/home' })],
    ['PATH_CLOSED', errorText('PATH_CLOSED', { path: '/x' })],
    ['PATH_KIND', errorText('PATH_KIND', { path: '/x', expected: 'a file' })],
    ['FILE_NOT_FOUND', errorText('FILE_NOT_FOUND', { path: '/x' })],
    ['FILE_CHANGED', errorText('FILE_CHANGED', { path: '/x', detail: 'it is gone' })],
    ['INTERRUPTED', errorText('INTERRUPTED')],
    ['TRANSFER_FAILED', 'something of its own'],
  ] as const)('has the code and the status of %s', async (code, text) => {
    await using test = await withDevice()
    const response = test.get()
    test.device.fail(await test.device.called(), text)
    const answer = await response
    expect(answer.status).toBe(ERROR_STATUS[code])
    expect(await answer.json()).toEqual({ code, detail: text })
  })

  it('is that it has no such tool where its server `files` is off', async () => {
    await using test = await withDevice()
    const response = test.get()
    const call = await test.device.called()
    test.device.fail(call, errorText('TOOL_UNKNOWN', { key: 'action::send_file', computer: 'LinuxAgent' }))
    expect(await (await response).json()).toMatchObject({ code: 'TRANSFER_UNSUPPORTED' })
  })
})

describe('a device', () => {
  it('that has no file transfer is not asked', async () => {
    await using test = await withDevice({}, ['cancel'])
    const answer = await test.get()
    expect(answer.status).toBe(501)
    expect(await answer.json()).toMatchObject({ code: 'TRANSFER_UNSUPPORTED' })
    expect((await test.put('x')).status).toBe(501)
    expect(test.device.wire.pending()).toEqual([])
  })

  it('that is offline is distinguished from one that is not known', async () => {
    await using test = await withDevice()
    test.device.wire.close()
    await test.device.wire.nextClose()
    await expect.poll(async () => (await test.server.api('/api/devices/d1')).body['status']).toBe('offline')
    expect(await (await test.get()).json()).toMatchObject({ code: 'DEVICE_OFFLINE' })
    expect((await test.server.api('/api/devices/d2/files?path=x')).body).toMatchObject({ code: 'DEVICE_NOT_FOUND' })
    expect((await test.server.api('/api/devices/d2/files')).status).toBe(422)
    expect((await fetch(`${test.server.url}/api/devices/d1/files?path=x`)).status).toBe(401)
  })
})

describe('the connection of a transfer is refused', () => {
  it('without the key of the device, with that of another, and with a wrong server key; the right one is still good', async () => {
    await using test = await withDevice()
    const other = await ScriptedDevice.register(test.server, 'd2')
    const response = test.get()
    const call = await test.device.called()
    for (const wrong of [{ key: '' }, { key: 'x' }, { key: other.key }, { token: 'wrong' }])
      await expect(test.device.dial(call.id, wrong)).rejects.toMatchObject({ code: 'UNAUTHORIZED' })
    await expect(test.device.dial(crypto.randomUUID())).rejects.toMatchObject({ code: 'UNAUTHORIZED' })
    const aip = await test.device.dial(call.id)
    await sendContent(aip, pieces('ok'), { filename: 'x', size: 2 })
    await aip.transport.closed
    test.device.wire.answer(call.command)
    expect(await (await response).text()).toBe('ok')
  })

  it('a second time', async () => {
    await using test = await withDevice()
    const response = test.get()
    const call = await test.device.called()
    const aip = await test.device.dial(call.id)
    await expect(test.device.dial(call.id)).rejects.toMatchObject({ code: 'UNAUTHORIZED' })
    aip.transport.terminate()
    test.device.fail(call, 'over')
    expect((await response).status).toBe(502)
    await expect(test.device.dial(call.id)).rejects.toMatchObject({ code: 'UNAUTHORIZED' })
  })

  it('when its time is over', async () => {
    const clock = new ManualClock()
    await using test = await withDevice({ clock })
    const response = test.get()
    const call = await test.device.called()
    await clock.advance(LIMITS.transferStart)
    expect(await (await response).json()).toEqual({
      code: 'TIMEOUT',
      detail: `Waiting for device 'd1' timed out after ${LIMITS.transferStart / 1000}s`,
    })
    await expect(test.device.dial(call.id)).rejects.toMatchObject({ code: 'UNAUTHORIZED' })
    expect(await test.device.wire.next()).toMatchObject({ type: 'cancel' })
  })

  it('with the key of an earlier connection', async () => {
    await using test = await withDevice()
    test.device.wire.close()
    await test.device.wire.nextClose()
    await expect.poll(async () => (await test.server.api('/api/devices/d1')).body['status']).toBe('offline')
    const again = await ScriptedDevice.register(test.server, 'd1')
    const response = test.get()
    const call = await again.called()
    await expect(again.dial(call.id, { key: test.device.key })).rejects.toMatchObject({ code: 'UNAUTHORIZED' })
    again.fail(call, 'over')
    await response
  })

  it('and no key is ever logged or recorded', async () => {
    await using test = await withDevice()
    const response = test.get()
    const call = await test.device.called()
    const aip = await test.device.dial(call.id)
    await sendContent(aip, pieces('ok'), { filename: 'x', size: 2 })
    await aip.transport.closed
    test.device.wire.answer(call.command)
    await (await response).text()
    expect(test.device.key).toMatch(/^[\w-]{43}$/)
    const events = await test.server.events(String(call.command['session_id']))
    expect(JSON.stringify([test.server.log.lines, events])).not.toContain(test.device.key)
  })
})

it('an agent is not shown the tools that only the server can call', async () => {
  const tool = (namespace: string, name: string): Json => ({
    tool_key: `action::${name}`,
    tool_name: name,
    namespace,
    tool_type: 'action',
  })
  const lister = {
    name: 'lister',
    accepts: () => true,
    run: async (context: { listTools(): Promise<{ namespace: string; tool_name: string }[]> }) => ({
      status: 'completed' as const,
      result: (await context.listTools()).map((each) => `${each.namespace}/${each.tool_name}`),
    }),
  }
  await using test = await withDevice({ agents: [lister] })
  const { body } = await test.server.api('/api/sessions', { device_id: 'd1', request: 'list' })
  const listed = [
    tool('files', 'read_file'),
    tool('files', 'send_file'),
    tool('files', 'receive_file'),
    tool('chat', 'send_file'),
  ]
  test.device.wire.answer(await test.device.wire.next(), listed)
  await test.server.events(String(body['session_id']))
  const { body: session } = await test.server.api(`/api/sessions/${String(body['session_id'])}`)
  expect(session['result']).toEqual(['files/read_file', 'chat/send_file'])
})
