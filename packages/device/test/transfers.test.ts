import { createHash } from 'node:crypto'
import { chmodSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { AIPProtocol } from '@orrery/aip'
import { WebSocketTransport, receiveContent, sendContent } from '@orrery/aip/node'
import { DeviceConfig } from '../src/index.js'
import { ALLOW_ALL } from './support/config.js'
import { online } from './support/running-device.js'
import { temporaryFolders } from './support/temporary.js'

const folder = temporaryFolders()
const ID = '3f2a9c41-0000-4000-8000-000000000000'
const AGREED = { aip: { version: 1, features: ['files'], transfer_key: 'the-key' } }

async function* bytes(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text)
}

/** A device whose server has file transfer, and a call of `receive_file` that is under way. */
async function receiving(parameters: object, agreed: unknown = AGREED) {
  const root = folder()
  const running = await online({ cwd: root, token: 'device-key', config: DeviceConfig.parse({ policy: ALLOW_ALL }) }, agreed)
  const ended = running.connection.run([{ tool_name: 'receive_file', parameters: { transfer_id: ID, ...parameters } }])
  return { root, running, ended, [Symbol.asyncDispose]: () => running[Symbol.asyncDispose]() }
}

describe('a device that takes a file', () => {
  it('says that it can, dials its own server alone, and writes what comes', async () => {
    await using test = await receiving({ path: 'a.txt', size: 5 })
    expect(test.running.registration).toMatchObject({
      metadata: { aip: { features: ['cancel', 'progress', 'concurrent', 'info', 'files', 'terminal'] } },
    })
    const dialled = await test.running.server.connection()
    expect([dialled.url, dialled.headers.authorization]).toEqual([`/ws/transfers/${ID}`, 'Bearer device-key'])
    const aip = new AIPProtocol(new WebSocketTransport(dialled.socket), { side: 'server' })
    await sendContent(aip, bytes('hello'), { filename: '../../elsewhere', size: 5 })
    const checksum = createHash('md5').update('hello').digest('hex')
    expect(await test.ended).toMatchObject([
      { status: 'success', result: { path: join(test.root, 'a.txt'), bytes: 5, checksum, created: true } },
    ])
    expect(readFileSync(join(test.root, 'a.txt'), 'utf8')).toBe('hello')
    expect(readdirSync(test.root)).toEqual(['a.txt'])
  })

  it('gives it the permissions and the time that it had, and tells those of a file that it sends', async () => {
    const modified = '2024-02-03T04:05:06.000Z'
    await using test = await receiving({ path: 'run.sh', size: 5, mode: '750', modified })
    const aip = new AIPProtocol(new WebSocketTransport((await test.running.server.connection()).socket), { side: 'server' })
    await sendContent(aip, bytes('hello'), { filename: 'x', size: 5 })
    expect(await test.ended).toMatchObject([{ status: 'success' }])
    const path = join(test.root, 'run.sh')
    expect([(statSync(path).mode & 0o7777).toString(8), statSync(path).mtime.toISOString()]).toEqual(['750', modified])
    const sent = test.running.connection.run([{ tool_name: 'send_file', parameters: { transfer_id: ID, path } }])
    const dialled = await test.running.server.connection()
    // What comes is not from a registered device.
    dialled.socket.removeAllListeners('message')
    const other = new AIPProtocol(new WebSocketTransport(dialled.socket), { side: 'server' })
    const { mode, modified: told, chunks } = await receiveContent(other)
    expect([mode, told]).toEqual(['750', modified])
    for await (const _ of chunks);
    await other.transport.close(1000)
    expect(await sent).toMatchObject([{ status: 'success' }])
  })

  it('passes on no more rights than permissions, and keeps those of a file that it replaces', async () => {
    await using refused = await receiving({ path: 'a', size: 5, mode: '4755' })
    expect(await refused.ended).toMatchObject([{ status: 'failure', error: expect.stringContaining("'mode'") as unknown }])
    await using test = await receiving({ path: 'a.txt', size: 5, overwrite: true })
    writeFileSync(join(test.root, 'a.txt'), 'old')
    chmodSync(join(test.root, 'a.txt'), 0o640)
    const aip = new AIPProtocol(new WebSocketTransport((await test.running.server.connection()).socket), { side: 'server' })
    await sendContent(aip, bytes('hello'), { filename: 'x', size: 5 })
    await test.ended
    const mode = statSync(join(test.root, 'a.txt')).mode & 0o777
    expect([0o640, 0o644, 0o666]).toContain(mode)
  })

  it.each([
    ['more than was said', 6, /at most 5 are accepted/],
    ['less than was said', 4, /expected 5 bytes, got 4 bytes/],
  ])('refuses %s', async (_case, size, error) => {
    await using test = await receiving({ path: 'a.txt', size: 5 })
    const aip = new AIPProtocol(new WebSocketTransport((await test.running.server.connection()).socket), { side: 'server' })
    await sendContent(aip, bytes('hello!'), { filename: 'a', size }).catch(() => {})
    expect(await test.ended).toMatchObject([{ status: 'failure', error: expect.stringMatching(error) as unknown }])
    expect(readdirSync(test.root)).toEqual([])
  })

  it('leaves a file alone that came meanwhile', async () => {
    await using test = await receiving({ path: 'a.txt', size: 5 })
    const aip = new AIPProtocol(new WebSocketTransport((await test.running.server.connection()).socket), { side: 'server' })
    writeFileSync(join(test.root, 'a.txt'), 'other')
    await sendContent(aip, bytes('hello'), { filename: 'a', size: 5 })
    expect(await test.ended).toMatchObject([
      { status: 'failure', error: expect.stringMatching(/changed it meanwhile/) as unknown },
    ])
    expect(readFileSync(join(test.root, 'a.txt'), 'utf8')).toBe('other')
    expect(readdirSync(test.root)).toEqual(['a.txt'])
  })

  it('does not dial a server that has no file transfer, nor for an id that is none', async () => {
    await using test = await receiving({ path: 'a.txt', size: 5 }, null)
    expect(await test.ended).toMatchObject([{ status: 'failure', error: 'No file transfer waits for this device under this id' }])
    await using other = await receiving({ path: 'a.txt', size: 5, transfer_id: '../../other' })
    expect(await other.ended).toMatchObject([{ status: 'failure' }])
    expect([test.running.server.attempts, other.running.server.attempts]).toEqual([1, 1])
  })
})
