import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { frame, json, scriptedServer, session, stream } from '../../constellation/test/scripted-server.js'
import { onTerminal } from './support/captured-terminal.js'

const PICTURE = Buffer.from('\u0089PNG\r\n\u001a\n and so on', 'latin1')

/** Calls a tool that returns a value, on a terminal. */
async function call(
  result: unknown,
  { status = 'success', error = null as string | null, args = [] as string[], tool = 'x' } = {},
): Promise<{
  written: string
  code: number
}> {
  const results = [{ status, error, result, namespace: null, call_id: 'c1' }]
  const ended = session({ status: status === 'success' ? 'completed' : 'failed', agent: 'commands', result: results })
  await using server = await scriptedServer({
    'POST /api/sessions': json(session({ status: 'accepted' }), 201),
    'GET /api/sessions/s1/events': stream([frame(1, 'accepted'), frame(2, 'ended')]),
    'GET /api/sessions/s1': json(ended),
  })
  return await onTerminal('call', 'lab', tool, '--server', server.url, '--api-key', 'k'.repeat(32), ...args)
}

const ran = (code: number | null, more: object = {}): object => ({ exit_code: code, stdout: 'a\nb\n', stderr: 'oh\n', ...more })

describe('the result of a call on a terminal', () => {
  it('of a program is what it printed, and its exit code, which is also that of the command', async () => {
    expect(await call(ran(0), { tool: 'run_command' })).toEqual({ written: 'a\nb\noh\n', code: 0 })
    expect(await call(ran(3))).toEqual({ written: 'a\nb\noh\nexit code 3\n', code: 3 })
    const failed = { status: 'failure', error: 'exit code 1 (no match)', tool: 'execute_command' }
    expect(await call(ran(1), failed)).toEqual({ written: 'a\nb\noh\nexit code 1 (no match)\n', code: 1 })
  })

  it.each([
    [ran(-15), 143, 'ended by signal 15'],
    [ran(null, { signal: 'SIGKILL' }), 137, 'ended by SIGKILL'],
    [ran(null, { ended: 'timeout' }), 125, 'ended by the timeout'],
    [ran(256), 1, 'exit code 256'],
    [ran(300), 44, 'exit code 300'],
  ])('of a program that ended like %j has the code %d', async (result, code, text) => {
    expect(await call(result)).toEqual({ written: `a\nb\noh\n${text}\n`, code })
  })

  it('of a program that did not run is an error of Orrery, of another tool one of the tool', async () => {
    const denied = { status: 'failure', error: 'Denied by the policy' }
    expect(await call(null, { ...denied, tool: 'run_command' })).toEqual({ written: 'Denied by the policy\n', code: 125 })
    expect(await call(null, denied)).toEqual({ written: 'Denied by the policy\n', code: 1 })
  })

  it('of a file is its text, and says where it continues', async () => {
    const file = { path: '/a', size: 9, encoding: 'utf-8', content: 'one\n', next_offset: 4 }
    expect((await call(file)).written).toBe('one\na part of 9 bytes; it continues with "offset": 4\n')
  })

  it('of a list is a table, with what is said about it above', async () => {
    const list = {
      path: '/a',
      entries: [
        { name: 'x', size: 1 },
        { name: 'long', size: 20, to: ['a', 'b'] },
      ],
    }
    expect((await call(list)).written).toBe('path  /a\nNAME  SIZE  TO\nx     1\nlong  20    a, b\n')
    expect((await call(['a', 'b'])).written).toBe('a\nb\n')
  })

  it('with several values is a list of them, those of several lines below', async () => {
    expect((await call({ uptime: '1 h', disk: 'A\nB\n' })).written).toBe('uptime  1 h\n\ndisk\nA\nB\n')
    expect((await call({ a: { b: { c: [{ d: 1 }] } } })).written).toContain('"d": 1')
  })

  it('is never the base64 of a picture: it says how to save it, and `--out` does', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'orrery-out-'))
    try {
      const data = PICTURE.toString('base64')
      const shapes = [
        [{ type: 'image', data, mimeType: 'image/png' }],
        `data:image/png;base64,${data}`,
        { path: '/tmp/a.png', encoding: 'base64', content: data },
      ]
      for (const shape of shapes) {
        const told = await call(shape)
        expect(told.written).toMatch(/image\/png, 18 B; save it with: (?:.\/)?orrery session s1 --out FILE\n$/)
        expect(told.written).not.toContain(data)
        const out = join(folder, 'a.png')
        const saved = await call(shape, { args: ['--out', out] })
        expect(saved.written).toBe(`Saved ${out} (image/png, ${PICTURE.length} B)\n`)
        expect(readFileSync(out).equals(PICTURE)).toBe(true)
      }
      const two = await call([shapes[0], shapes[0]].flat(), { args: ['--out', join(folder, 'b.png')] })
      expect(two.written).toContain('b-2.png')
      expect(readFileSync(join(folder, 'b-2.png')).equals(PICTURE)).toBe(true)
      const lost = await call('text', { args: ['--out', join(folder, 'nowhere', 'x')] })
      expect(lost).toMatchObject({ code: 2, written: expect.stringContaining('Cannot write the file for --out') as unknown })
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
