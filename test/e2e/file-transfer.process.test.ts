import { createHash, randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DeviceConfig, startDevice } from '@orrery/device'
import { OrreryHome } from '../support/orrery-process.js'
import { DEVICE_KEY, LogCapture, OPERATOR_KEY, startTestServer } from '../support/test-server.js'

const BIG = randomBytes(5_000_000)
const KEY = { 'x-api-key': OPERATOR_KEY }
const md5 = (data: Uint8Array): string => createHash('md5').update(data).digest('hex')

/** A server and a device, both real; the device shares one folder, beside which is another. */
async function pair(policy: unknown[] = [{ do: 'allow' }]) {
  const base = realpathSync(mkdtempSync(join(tmpdir(), 'orrery-')))
  const [root, outside] = [join(base, 'root'), join(base, 'outside')]
  mkdirSync(root)
  mkdirSync(outside)
  const server = await startTestServer()
  const log = new LogCapture()
  const device = startDevice({
    serverUrl: `${server.url.replace('http', 'ws')}/ws`,
    token: DEVICE_KEY,
    clientId: 'lab',
    cwd: root,
    logger: log,
    auditPath: join(base, 'audit.jsonl'),
    journalPath: join(base, 'journal.db'),
    config: DeviceConfig.parse({ policy }),
  })
  await device.registered
  const url = (path: string): string => `${server.url}/api/devices/lab/files?path=${encodeURIComponent(path)}`
  return {
    root,
    outside,
    log,
    server,
    url,
    audit: (): string => readFileSync(join(base, 'audit.jsonl'), 'utf8'),
    get: (path: string) => fetch(url(path), { headers: KEY }),
    put: (path: string, body: string | Uint8Array, more = '') => fetch(url(path) + more, { method: 'PUT', headers: KEY, body }),
    async [Symbol.asyncDispose]() {
      await device.stop()
      await server[Symbol.asyncDispose]()
      rmSync(base, { recursive: true })
    },
  }
}

describe('between a server and a device', () => {
  it('a file goes there and comes back as it was', async () => {
    await using test = await pair()
    const written = await test.put('big.bin', new Uint8Array(BIG))
    expect(await written.json()).toMatchObject({
      path: join(test.root, 'big.bin'),
      bytes: BIG.length,
      checksum: md5(BIG),
      created: true,
    })
    expect(readFileSync(join(test.root, 'big.bin'))).toEqual(BIG)
    const read = await test.get('big.bin')
    expect(Buffer.from(await read.arrayBuffer())).toEqual(BIG)
    const id = read.headers.get('x-orrery-session-id')
    expect((await test.server.api(`/api/sessions/${id}`)).body).toMatchObject({
      agent: 'commands',
      result: [{ result: { checksum: md5(BIG) } }],
    })
    await expect.poll(test.audit).toMatch(/receive_file[\s\S]*send_file/)
  })

  it('a file keeps its permissions and its time', async () => {
    await using test = await pair()
    const modified = '2024-02-03T04:05:06.000Z'
    expect((await test.put('run.sh', 'x', `&mode=750&modified=${modified}`)).status).toBe(200)
    const stats = statSync(join(test.root, 'run.sh'))
    expect([(stats.mode & 0o7777).toString(8), stats.mtime.toISOString()]).toEqual(['750', modified])
    const { headers } = await test.get('run.sh')
    expect([headers.get('x-orrery-mode'), headers.get('last-modified')]).toEqual(['750', 'Sat, 03 Feb 2024 04:05:06 GMT'])
    expect((await test.put('run.sh', 'x', '&mode=4755&overwrite=true')).status).toBe(422)
  })

  it('a file is replaced only where that is asked for', async () => {
    await using test = await pair()
    writeFileSync(join(test.root, 'a'), 'old')
    expect((await test.put('a', 'new')).status).toBe(409)
    expect(readFileSync(join(test.root, 'a'), 'utf8')).toBe('old')
    expect(await (await test.put('a', 'new', '&overwrite=true')).json()).toMatchObject({ created: false })
    expect(readFileSync(join(test.root, 'a'), 'utf8')).toBe('new')
  })

  it('nothing goes out of the folders that the device shares, by a path or by a link', async () => {
    await using test = await pair()
    writeFileSync(join(test.outside, 'secret'), 'secret')
    symlinkSync(test.outside, join(test.root, 'folder'))
    symlinkSync(join(test.outside, 'secret'), join(test.root, 'file'))
    symlinkSync(join(test.outside, 'new'), join(test.root, 'dangling'))
    for (const path of ['../outside/secret', join(test.outside, 'secret'), 'folder/secret', 'file']) {
      expect(await (await test.get(path)).json()).toMatchObject({ code: 'PATH_OUTSIDE_ROOTS' })
      expect(await (await test.put(path, 'x', '&overwrite=true')).json()).toMatchObject({ code: 'PATH_OUTSIDE_ROOTS' })
    }
    for (const path of ['../outside/new', 'folder/new'])
      expect(await (await test.put(path, 'x')).json()).toMatchObject({ code: 'PATH_OUTSIDE_ROOTS' })
    expect((await test.put('dangling', 'x')).ok).toBe(false)
    expect(readdirSync(test.outside)).toEqual(['secret'])
    expect(readFileSync(join(test.outside, 'secret'), 'utf8')).toBe('secret')
  })

  it('the policy of the device decides, by tool and path', async () => {
    await using test = await pair([
      { tool: 'send_file', path: 'private/**', do: 'deny' },
      { tool: 'receive_file', path: 'inbox/**', do: 'allow' },
    ])
    for (const folder of ['private', 'inbox']) mkdirSync(join(test.root, folder))
    writeFileSync(join(test.root, 'private', 'a'), 'a')
    writeFileSync(join(test.root, 'b'), 'b')
    expect(await (await test.get('private/a')).json()).toMatchObject({ code: 'POLICY_DENIED' })
    expect(await (await test.get('b')).text()).toBe('b')
    expect((await test.put('inbox/c', 'c')).status).toBe(200)
    // Without a rule a download needs an answer, and there is no terminal here to give it.
    const refused = await test.put('c', 'c')
    expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([403, 'POLICY_DENIED'])
    expect(existsSync(join(test.root, 'c'))).toBe(false)
  })

  it('what is not a file is neither read nor replaced, and a folder is not made', async () => {
    await using test = await pair()
    mkdirSync(join(test.root, 'folder'))
    expect(await (await test.get('folder')).json()).toMatchObject({ code: 'PATH_KIND' })
    expect(await (await test.put('folder', 'x', '&overwrite=true')).json()).toMatchObject({ code: 'PATH_KIND' })
    expect(await (await test.get('missing')).json()).toMatchObject({ code: 'FILE_NOT_FOUND' })
    expect(await (await test.put('missing/x', 'x')).json()).toMatchObject({ code: 'FILE_NOT_FOUND' })
    expect(readdirSync(test.root)).toEqual(['folder'])
  })

  it('an upload that is cut off leaves nothing, and the device is free again', async () => {
    await using test = await pair()
    const sending = request(test.url('big.bin'), { method: 'PUT', headers: { ...KEY, 'content-length': '1000000' } })
    sending.on('error', () => {})
    sending.write(BIG.subarray(0, 600_000))
    await expect.poll(() => readdirSync(test.root).length).toBe(1)
    sending.destroy()
    await expect.poll(() => readdirSync(test.root)).toEqual([])
    expect((await test.put('b', 'b')).status).toBe(200)
  })

  it('a transfer that is not expected is refused, and no key is logged', async () => {
    await using test = await pair()
    writeFileSync(join(test.root, 'a'), 'a')
    const call = { tool_name: 'send_file', parameters: { path: 'a', transfer_id: crypto.randomUUID() } }
    const { body } = await test.server.api('/api/devices/lab/commands', { commands: [call] })
    expect(body['results']).toMatchObject([{ status: 'failure', error: 'No file transfer waits for this device under this id' }])
    expect(await (await test.get('a')).text()).toBe('a')
    expect([...test.log.lines, ...test.server.log.lines].join('\n')).not.toMatch(/transfer_key|transfer-key/)
  })
})

describe('orrery cp', () => {
  let home: OrreryHome
  // The home of Orrery itself is closed to tools.
  let shared: string
  beforeAll(async () => {
    home = new OrreryHome()
    shared = realpathSync(mkdtempSync(join(tmpdir(), 'orrery-')))
    writeFileSync(join(home.path, 'device.jsonc'), JSON.stringify({ roots: [shared], policy: [{ do: 'allow' }] }))
    writeFileSync(join(home.path, 'big.bin'), BIG)
    await home.up()
  })
  afterAll(async () => {
    await home[Symbol.asyncDispose]()
    rmSync(shared, { recursive: true })
  })

  it('copies to a device and back', async () => {
    const there = await home.run('cp', 'big.bin', `:${shared}/`)
    expect(there, there.stderr).toMatchObject({ code: 0, stdout: '' })
    expect(there.stderr).toMatch(/big\.bin → .*\/big\.bin: 4\.8 MiB in .*\/s\n$/)
    const back = await home.run('cp', `:${shared}/big.bin`, 'copy.bin', '--json')
    expect(back.code, back.stderr).toBe(0)
    const [from, to] = [join(shared, 'big.bin'), join(home.path, 'copy.bin')]
    expect(JSON.parse(back.stdout)).toMatchObject({ from, to, bytes: BIG.length, checksum: md5(BIG) })
    expect(readFileSync(join(home.path, 'copy.bin'))).toEqual(BIG)
  })

  it('replaces nothing without --force, at either end', async () => {
    writeFileSync(join(home.path, 'here'), 'old')
    writeFileSync(join(shared, 'there'), 'old')
    const [from, to] = [`:${shared}/there`, 'here']
    expect(await home.run('cp', from, to)).toMatchObject({
      code: 1,
      stderr: "orrery: 'here' is there already; --force replaces it\n",
    })
    const refused = await home.run('cp', to, from)
    expect(refused.code).toBe(1)
    expect(refused.stderr).toMatch(/^orrery: File exists: .*; --force replaces it\n$/)
    writeFileSync(join(home.path, 'here'), 'new')
    expect((await home.run('cp', to, from, '--force')).code).toBe(0)
    expect(readFileSync(join(shared, 'there'), 'utf8')).toBe('new')
  })

  it('ends with Ctrl-C, and leaves nothing of the file', async () => {
    const folder = mkdtempSync(join(shared, 'interrupted-'))
    const large = join(shared, 'large')
    writeFileSync(large, '')
    truncateSync(large, 8 * 1024 ** 3)
    for (const [from, to] of [
      [`:${large}`, `${folder}/`],
      [large, `:${folder}/`],
    ] as const) {
      const copy = home.start('cp', from, to)
      await expect.poll(() => readdirSync(folder), { timeout: 10_000 }).toHaveLength(1)
      const { code, stderr } = await copy.kill('SIGINT')
      expect([code, stderr]).toEqual([130, 'orrery: Interrupted; nothing was copied\n'])
      await expect.poll(() => readdirSync(folder)).toEqual([])
    }
  })

  it('copies from stdin and to stdout', async () => {
    const there = `:${join(shared, 'piped.txt')}`
    expect((await home.runWith('one\ntwo', 'cp', '-', there)).code).toBe(0)
    expect(await home.run('cp', there, '-')).toMatchObject({ code: 0, stdout: 'one\ntwo' })
    rmSync(join(shared, 'piped.txt'))
  })

  it('says in one line what is wrong', async () => {
    const failures: [string[], number, RegExp][] = [
      [['a', 'b'], 2, /Neither is on a device/],
      [[':a', ':b'], 2, /Both are on a device/],
      [['missing', ':x'], 2, /Cannot read the file/],
      [['nobody:/x', 'y'], 1, /Device 'nobody' is not known here/],
      [[':/etc/hostname', 'y'], 1, /outside of the folders/],
      [[`:${shared}/missing`, 'y'], 1, /File not found/],
    ]
    for (const [words, code, text] of failures) {
      const ended = await home.run('cp', ...words)
      expect(ended.code, words.join(' ')).toBe(code)
      expect(ended.stderr).toMatch(/^orrery: .*\n$/)
      expect(ended.stderr).toMatch(text)
    }
    expect(readdirSync(home.path)).not.toContain('y')
  })
})
