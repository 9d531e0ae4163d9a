import { createHash } from 'node:crypto'
import { readdirSync, truncateSync, writeFileSync } from 'node:fs'
import { mkdir, readFile, readdir, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { receiveFile, sendFile, type FileTarget, type ReceiveFileOptions } from '../src/node/file-transfer.js'
import { AIPProtocol } from '../src/protocol/aip-protocol.js'
import type { Transport } from '../src/transport/transport.js'
import { connectTransports } from './support/sockets.js'
import { temporaryFolder } from './support/temporary.js'
import { startTransferPeer, type TransferReport } from './support/transfer-peer.js'

const MIB = 1024 * 1024

/** Two peers over a real socket, and a folder for each. */
async function setUp() {
  const connection = await connectTransports()
  const folder = await temporaryFolder()
  const outbox = join(folder.path, 'outbox')
  const inbox = join(folder.path, 'inbox')
  await mkdir(outbox)
  await mkdir(inbox)
  return {
    sender: new AIPProtocol(connection.near, { side: 'client' }),
    receiver: new AIPProtocol(connection.far, { side: 'server' }),
    raw: connection.near as Transport,
    outbox,
    inbox,
    async [Symbol.asyncDispose]() {
      await connection[Symbol.asyncDispose]()
      await folder[Symbol.asyncDispose]()
    },
  }
}

/** Bytes that repeat only after a prime number of bytes, so that chunks in a wrong place show. */
function content(size: number): Buffer {
  const data = Buffer.alloc(size)
  for (let at = 0; at < size; at += 1) data[at] = at % 251
  return data
}

function md5(data: Uint8Array): string {
  return createHash('md5').update(data).digest('hex')
}

describe('a file', () => {
  const CHUNK = 1000
  it.each([
    ['0 bytes', 0, 0],
    ['1 byte', 1, 1],
    ['one byte less than a chunk', CHUNK - 1, 1],
    ['exactly one chunk', CHUNK, 1],
    ['one byte more than a chunk', CHUNK + 1, 2],
    ['several chunks', 5 * CHUNK, 5],
    ['several chunks and a rest', 5 * CHUNK + 7, 6],
  ])('of %s arrives as it was', async (_, size, chunks) => {
    await using test = await setUp()
    const data = content(size)
    const path = join(test.outbox, 'data.bin')
    await writeFile(path, data)
    const sent: number[] = []
    const received: number[] = []
    const [there, here] = await Promise.all([
      sendFile(test.sender, path, { chunkBytes: CHUNK, onProgress: (done) => sent.push(done) }),
      receiveFile(test.receiver, { folder: test.inbox }, { onProgress: (done) => received.push(done) }),
    ])
    expect(await readFile(join(test.inbox, 'data.bin'))).toEqual(data)
    expect(there).toEqual({ filename: 'data.bin', size, path, checksum: md5(data) })
    expect(here).toEqual({ filename: 'data.bin', size, path: join(test.inbox, 'data.bin'), checksum: md5(data) })
    expect(received).toHaveLength(chunks)
    expect(received).toEqual(sent)
    expect(received.at(-1) ?? 0).toBe(size)
    expect(await readdir(test.inbox)).toEqual(['data.bin'])
  })

  it('is announced, described chunk by chunk, and completed as existing peers do', async () => {
    await using test = await setUp()
    const path = join(test.outbox, 'data.bin')
    await writeFile(path, 'abcde')
    const { transport } = test.receiver
    await sendFile(test.sender, path, { chunkBytes: 3, sessionId: 's1', description: 'letters', mimeType: 'text/plain' })
    const frames: unknown[] = []
    for (let frame = 0; frame < 6; frame += 1) {
      const data = await transport.receive()
      frames.push(typeof data === 'string' ? JSON.parse(data) : Buffer.from(data).toString())
    }
    const timestamp = expect.any(String) as unknown
    expect(frames).toEqual([
      {
        type: 'file_transfer_start',
        filename: 'data.bin',
        session_id: 's1',
        size: 5,
        chunk_size: 3,
        total_chunks: 2,
        mime_type: 'text/plain',
        description: 'letters',
      },
      { type: 'binary_data', size: 3, timestamp, chunk_num: 0, chunk_size: 3 },
      'abc',
      { type: 'binary_data', size: 2, timestamp, chunk_num: 1, chunk_size: 2 },
      'de',
      {
        type: 'file_transfer_complete',
        filename: 'data.bin',
        session_id: 's1',
        total_chunks: 2,
        checksum: md5(Buffer.from('abcde')),
      },
    ])
  })

  it('goes in chunks of 1 MiB unless told otherwise', async () => {
    await using test = await setUp()
    const path = join(test.outbox, 'data.bin')
    await writeFile(path, content(2 * MIB + 1))
    const steps: number[] = []
    await Promise.all([
      sendFile(test.sender, path),
      receiveFile(test.receiver, { folder: test.inbox }, { onProgress: (done) => steps.push(done) }),
    ])
    expect(steps).toEqual([MIB, 2 * MIB, 2 * MIB + 1])
  })

  it('goes to the path of the receiver, whatever its sender calls it, and folders are made', async () => {
    await using test = await setUp()
    const path = join(test.outbox, '.hidden')
    await writeFile(path, 'data')
    const target = join(test.inbox, 'a', 'b', 'chosen.bin')
    await Promise.all([sendFile(test.sender, path), receiveFile(test.receiver, { path: target })])
    expect(await readFile(target, 'utf8')).toBe('data')
    expect(await readdir(join(test.inbox, 'a', 'b'))).toEqual(['chosen.bin'])
  })

  it('after another goes over the same connection', async () => {
    await using test = await setUp()
    for (const name of ['a', 'b']) {
      await writeFile(join(test.outbox, name), name)
      await Promise.all([sendFile(test.sender, join(test.outbox, name)), receiveFile(test.receiver, { folder: test.inbox })])
    }
    expect((await readdir(test.inbox)).sort()).toEqual(['a', 'b'])
  })

  it.each(['missing', '.'])('that is not a file (%s) is not sent, and nothing is', async (name) => {
    await using test = await setUp()
    const path = join(test.outbox, name)
    await expect(sendFile(test.sender, path)).rejects.toMatchObject({
      code: 'FILE_NOT_FOUND',
      message: `File not found: ${path}`,
    })
    await test.sender.transport.send('the first frame')
    expect(await test.receiver.transport.receive()).toBe('the first frame')
  })

  it('that shrinks while it is sent is an error at both ends, and leaves nothing', async () => {
    await using test = await setUp()
    const path = join(test.outbox, 'data.bin')
    await writeFile(path, content(5000))
    const received = receiveFile(test.receiver, { folder: test.inbox }).catch((error: unknown) => error)
    const sending = sendFile(test.sender, path, {
      chunkBytes: 1000,
      onProgress: (done) => {
        if (done === 2000) truncateSync(path, 2500)
      },
    })
    await expect(sending).rejects.toMatchObject({
      code: 'SIZE_MISMATCH',
      message: 'Size mismatch: expected 1000 bytes, got 500 bytes',
    })
    await test.raw.close()
    expect(await received).toMatchObject({ code: 'CONNECTION_CLOSED' })
    expect(await readdir(test.inbox)).toEqual([])
  })

  it('that grows while it is sent arrives as long as it was announced', async () => {
    await using test = await setUp()
    const path = join(test.outbox, 'data.bin')
    await writeFile(path, content(1500))
    await Promise.all([
      sendFile(test.sender, path, { chunkBytes: 1000, onProgress: () => truncateSync(path, 9000) }),
      receiveFile(test.receiver, { folder: test.inbox }),
    ])
    expect(await readFile(join(test.inbox, 'data.bin'))).toEqual(content(1500))
  })

  it('that is cut off in the middle leaves neither the file nor a part of it', async () => {
    await using test = await setUp()
    const path = join(test.outbox, 'data.bin')
    await writeFile(path, content(10_000))
    const outcomes = await Promise.allSettled([
      sendFile(test.sender, path, { chunkBytes: 1000 }),
      receiveFile(
        test.receiver,
        { folder: test.inbox },
        { onProgress: (done) => void (done === 3000 && test.receiver.transport.terminate()) },
      ),
    ])
    expect(outcomes[1]).toMatchObject({ status: 'rejected', reason: { code: 'CONNECTION_CLOSED' } })
    expect(await readdir(test.inbox)).toEqual([])
  })

  it('is beside its place as a .part file until it is whole', async () => {
    await using test = await setUp()
    const path = join(test.outbox, 'data.bin')
    await writeFile(path, content(2000))
    const during: string[][] = []
    await Promise.all([
      sendFile(test.sender, path, { chunkBytes: 1000 }),
      receiveFile(test.receiver, { folder: test.inbox }, { onProgress: () => during.push(readdirSync(test.inbox)) }),
    ])
    const part = [expect.stringMatching(/^data\.bin\.[0-9a-f]{8}\.part$/)]
    expect(during).toEqual([part, part])
    expect(await readdir(test.inbox)).toEqual(['data.bin'])
  })
})

const START = { type: 'file_transfer_start', filename: 'data.bin', size: 4, chunk_size: 2, total_chunks: 2 }
const AB = [{ type: 'binary_data', size: 2, chunk_num: 0 }, Buffer.from('ab')]
const CD = [{ type: 'binary_data', size: 2, chunk_num: 1 }, Buffer.from('cd')]
const COMPLETE = { type: 'file_transfer_complete', total_chunks: 2, checksum: md5(Buffer.from('abcd')) }

/** Plays a sender frame by frame and returns what the receiver made of it. */
async function play(
  frames: unknown[],
  target: (inbox: string) => FileTarget = (folder) => ({ folder }),
  options: ReceiveFileOptions = {},
) {
  await using test = await setUp()
  for (const frame of frames) {
    await test.raw.send(Buffer.isBuffer(frame) || typeof frame === 'string' ? frame : JSON.stringify(frame))
  }
  const outcome = await receiveFile(test.receiver, target(test.inbox), options).then(
    () => 'received',
    (error: unknown) => error,
  )
  return { outcome, files: await readdir(test.inbox, { recursive: true }) }
}

describe('a sender of another make', () => {
  it.each([
    [
      'without chunk numbers',
      [START, { type: 'binary_data', size: 2 }, Buffer.from('ab'), { size: 2 }, Buffer.from('cd'), COMPLETE],
    ],
    ['without a checksum', [START, ...AB, ...CD, { type: 'file_transfer_complete' }]],
    ['with null as checksum', [START, ...AB, ...CD, { type: 'file_transfer_complete', checksum: null }]],
    ['with an upper-case checksum', [START, ...AB, ...CD, { ...COMPLETE, checksum: COMPLETE.checksum.toUpperCase() }]],
    [
      'with checksums of chunks, MD5 and SHA-256',
      [
        START,
        { ...(AB[0] as object), checksum: md5(Buffer.from('ab')) },
        AB[1],
        { ...(CD[0] as object), checksum: createHash('sha256').update('cd').digest('hex') },
        CD[1],
        COMPLETE,
      ],
    ],
  ])('%s is understood', async (_, frames) => {
    expect(await play(frames)).toEqual({ outcome: 'received', files: ['data.bin'] })
  })

  it.each([
    ['a wrong checksum', [START, ...AB, ...CD, { ...COMPLETE, checksum: 'f'.repeat(32) }], 'CHECKSUM_MISMATCH'],
    ['a wrong checksum of a chunk', [START, { ...(AB[0] as object), checksum: 'f'.repeat(32) }, AB[1]], 'CHECKSUM_MISMATCH'],
    ['a wrong SHA-256 of a chunk', [START, { ...(AB[0] as object), checksum: 'f'.repeat(64) }, AB[1]], 'CHECKSUM_MISMATCH'],
    [
      'less than announced',
      [{ ...START, size: 3 }, AB[0], Buffer.from('ab'), { size: 0 }, Buffer.alloc(0), COMPLETE],
      'SIZE_MISMATCH',
    ],
    ['more than announced', [{ ...START, size: 3 }, ...AB, ...CD], 'SIZE_MISMATCH'],
    ['a chunk of another size than its header says', [START, AB[0], Buffer.from('abc')], 'SIZE_MISMATCH'],
    ['chunks out of order', [START, ...CD], 'TRANSFER_UNEXPECTED'],
    ['a chunk twice', [START, ...AB, ...AB], 'TRANSFER_UNEXPECTED'],
    ['text in place of a chunk', [START, AB[0], 'text'], 'BINARY_EXPECTED'],
    ['a chunk in place of the start', [Buffer.from('ab')], 'TRANSFER_UNEXPECTED'],
    ['a chunk in place of the end', [START, ...AB, ...CD, Buffer.from('ab')], 'TRANSFER_UNEXPECTED'],
    ['the end in place of the start', [COMPLETE], 'TRANSFER_UNEXPECTED'],
    ['another message in place of the end', [START, ...AB, ...CD, { type: 'heartbeat' }], 'TRANSFER_UNEXPECTED'],
    ['a start without a type', [{}], 'TRANSFER_UNEXPECTED'],
    ['a start whose type is not a text', [{ type: { toString: 1 } }], 'TRANSFER_UNEXPECTED'],
    ['a start that is not JSON', ['nonsense'], 'INVALID_MESSAGE'],
    ['a start without a size', [{ ...START, size: undefined }], 'TRANSFER_UNEXPECTED'],
    ['a negative size', [{ ...START, size: -1 }], 'TRANSFER_UNEXPECTED'],
    ['chunks of no size', [{ ...START, chunk_size: 0 }], 'TRANSFER_UNEXPECTED'],
    ['more chunks than the size has', [{ ...START, total_chunks: 1e12 }], 'TRANSFER_UNEXPECTED'],
    ['fewer chunks than the size has', [{ ...START, total_chunks: 1 }, ...AB, COMPLETE], 'TRANSFER_UNEXPECTED'],
  ])('that sends %s is refused, and leaves nothing', async (_, frames, code) => {
    expect(await play(frames)).toEqual({ outcome: expect.objectContaining({ code }) as unknown, files: [] })
  })

  it('gets an error that says what was expected and what came', async () => {
    expect((await play([{ type: 'heartbeat' }])).outcome).toMatchObject({
      message: 'Expected file_transfer_start, got: heartbeat',
    })
    expect((await play([START, ...AB, ...CD, START])).outcome).toMatchObject({
      message: 'Expected file_transfer_complete, got: file_transfer_start',
    })
    expect((await play([START, ...CD])).outcome).toMatchObject({ message: 'Expected chunk 0, got: chunk 1' })
    expect((await play([{ ...START, filename: 5 }])).outcome).toMatchObject({
      message: "Expected file_transfer_start, got: file_transfer_start with a wrong 'filename'",
    })
  })

  it('cannot send more than is taken', async () => {
    const frames = [START, ...AB, ...CD, COMPLETE]
    expect(await play(frames, undefined, { maxBytes: 3 })).toMatchObject({
      outcome: { code: 'FILE_TOO_LARGE', message: 'The file has 4 bytes, and at most 3 are accepted' },
      files: [],
    })
    expect(await play(frames, undefined, { maxBytes: 4 })).toMatchObject({ outcome: 'received' })
    const huge = { ...START, size: 16 * 1024 ** 3 + 1, chunk_size: MIB, total_chunks: 16 * 1024 + 1 }
    expect(await play([huge])).toMatchObject({ outcome: { code: 'FILE_TOO_LARGE' }, files: [] })
  })
})

describe('the name that a sender gives', () => {
  const frames = (filename: string): unknown[] => [{ ...START, filename }, ...AB, ...CD, COMPLETE]

  it.each([
    '../x',
    '..',
    '.',
    '',
    '/x',
    'a/b',
    'a\\b',
    '..\\x',
    'C:\\x',
    'C:x',
    'x:stream',
    '.hidden',
    'aux',
    'aux.txt',
    'AUX .txt',
    'con',
    'nul.tar.gz',
    'COM1',
    'lpt9.txt',
    'line\nbreak',
    'null\0byte',
    'del\u007f',
    'escape\u001b[2J',
    'turned\u202etxt.exe',
    'half \ud83d',
    'what?',
    '*',
    'a|b',
    '<x>',
    '"x"',
    'ends with a dot.',
    'ends with a space ',
    'x'.repeat(241),
    'ü'.repeat(121),
  ])('%j is refused where it would name the file', async (filename) => {
    expect(await play(frames(filename))).toEqual({
      outcome: expect.objectContaining({ code: 'FILE_NAME_UNSAFE' }) as unknown,
      files: [],
    })
  })

  it.each([
    'x',
    'a b.txt',
    'report.2026-11-20.tar.gz',
    'größe😀.txt',
    'console.txt',
    'auxiliary',
    'com10',
    'x'.repeat(240),
    "it's",
  ])('%j is taken', async (filename) => {
    expect(await play(frames(filename))).toEqual({ outcome: 'received', files: [filename] })
  })

  it('does not matter if the receiver chose the path', async () => {
    const target = (inbox: string): FileTarget => ({ path: join(inbox, 'chosen') })
    expect(await play(frames('../../x'), target)).toEqual({ outcome: 'received', files: ['chosen'] })
  })
})

describe('a file that exists already', () => {
  it('is not replaced', async () => {
    await using test = await setUp()
    await writeFile(join(test.inbox, 'data.bin'), 'old')
    for (const frame of [START, ...AB, ...CD, COMPLETE])
      await test.raw.send(Buffer.isBuffer(frame) ? frame : JSON.stringify(frame))
    await expect(receiveFile(test.receiver, { folder: test.inbox })).rejects.toMatchObject({ code: 'FILE_EXISTS' })
    expect(await readFile(join(test.inbox, 'data.bin'), 'utf8')).toBe('old')
    expect(await readdir(test.inbox)).toEqual(['data.bin'])
  })

  it('is not replaced either when it came while the transfer ran', async () => {
    await using test = await setUp()
    const [from, to] = [join(test.outbox, 'data.bin'), join(test.inbox, 'data.bin')]
    await writeFile(from, content(2000))
    const received = receiveFile(test.receiver, { folder: test.inbox }, { onProgress: () => writeFileSync(to, 'other') })
    const failed = received.catch((error: unknown) => error)
    await sendFile(test.sender, from, { chunkBytes: 1000 })
    expect(await failed).toMatchObject({ code: 'FILE_EXISTS' })
    expect(await readFile(to, 'utf8')).toBe('other')
    expect(await readdir(test.inbox)).toEqual(['data.bin'])
  })

  it('is replaced when the receiver wants it, and only by a whole file', async () => {
    await using test = await setUp()
    const path = join(test.inbox, 'data.bin')
    await writeFile(path, 'old')
    const receive = (): Promise<unknown> => receiveFile(test.receiver, { path }, { overwrite: true })
    for (const frame of [START, ...CD]) await test.raw.send(Buffer.isBuffer(frame) ? frame : JSON.stringify(frame))
    await expect(receive()).rejects.toMatchObject({ code: 'TRANSFER_UNEXPECTED' })
    expect(await readFile(path, 'utf8')).toBe('old')
    for (const frame of [START, ...AB, ...CD, COMPLETE])
      await test.raw.send(Buffer.isBuffer(frame) ? frame : JSON.stringify(frame))
    await receive()
    expect(await readFile(path, 'utf8')).toBe('abcd')
    expect(await readdir(test.inbox)).toEqual(['data.bin'])
  })
})

describe('a large file', () => {
  it('of 256 MiB goes through while neither process grows by 100 MiB', async () => {
    await using folder = await temporaryFolder()
    const path = join(folder.path, 'sparse.bin')
    await writeFile(path, '')
    await truncate(path, 256 * MIB)
    const receiver = startTransferPeer('receive', join(folder.path, 'received.bin'))
    const { url } = (await receiver()) as { url: string }
    const sender = startTransferPeer('send', path, url)
    const [sent, received] = (await Promise.all([sender(), receiver()])) as [TransferReport, TransferReport]
    expect(sent.size).toBe(256 * MIB)
    expect(received).toMatchObject({ size: sent.size, checksum: sent.checksum })
    expect((await stat(join(folder.path, 'received.bin'))).size).toBe(256 * MIB)
    expect(sent.grownBy / MIB).toBeLessThan(100)
    expect(received.grownBy / MIB).toBeLessThan(100)
  })
})
