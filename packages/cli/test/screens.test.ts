import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Session, type SessionEvent } from '@orrery/aip/api'
import { DeviceConfig } from '@orrery/device'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { frame, json, scriptedServer, session, stream } from '../../constellation/test/scripted-server.js'
import { SessionLines } from '../src/follow/session-lines.js'
import { DeviceLines } from '../src/running/device-lines.js'
import { inTime } from '../src/terminal/format.js'
import { plain } from '../src/terminal/painted.js'
import { table } from '../src/terminal/table.js'
import { inPipes, onTerminal } from './support/captured-terminal.js'

const TIME = '2026-01-01T12:00:00.000Z'
const AT = Date.parse(TIME)
const target = (url: string): string[] => ['--server', url, '--api-key', 'k'.repeat(32)]
/** Without the time of the day, which is that of this machine's zone. */
const untimed = (line: string): string => line.replace(/^\d\d:\d\d:\d\d {2}/, '')

describe('the terminal of a device', () => {
  function lines(): { shown: string[]; device: DeviceLines } {
    const shown: string[] = []
    return { shown, device: new DeviceLines((line) => shown.push(untimed(plain(line)))) }
  }
  const call = {
    time: TIME,
    session_id: '3f2a9c41-0000-4000-8000-000000000000',
    call_id: 'c1',
    agent: 'LinuxAgent',
    tool: 'BashExecutor/execute_command',
    arguments_hash: 'x',
    arguments: { command: 'df -h' },
    decision: 'allow' as const,
    rule: 'shell.allow-list',
    by: 'policy',
    outcome: 'success',
    error: null,
    duration_ms: 65,
  }

  it('shows each call with what decided about it and its outcome', () => {
    const { shown, device } = lines()
    device.show({ type: 'called', call })
    device.show({ type: 'called', call: { ...call, by: 'terminal', outcome: 'failure', error: 'exit\ncode 2' } })
    device.show({ type: 'called', call: { ...call, decision: 'deny', by: 'terminal', outcome: 'failure', error: 'Denied' } })
    expect(shown).toEqual([
      '3f2a9c41  execute_command df -h  allowed (shell.allow-list), success in 65 ms',
      '3f2a9c41  execute_command df -h  allowed (terminal), failure in 65 ms: exit code 2',
      '3f2a9c41  execute_command df -h  denied (terminal)',
    ])
  })

  it('says once that the connection is lost, and for how long it was', () => {
    const { shown, device } = lines()
    device.lost(new Error('refused'), AT)
    device.show({ type: 'connected' }, AT)
    device.lost(new Error('refused'), AT)
    device.lost(new Error('refused'), AT + 5000)
    device.show({ type: 'connected' }, AT + 12_000)
    device.show({ type: 'connected' }, AT + 13_000)
    expect(shown).toEqual([
      'not connected: refused; trying again',
      'connection lost: refused; trying again',
      'connected again after 12 s',
    ])
  })

  it('says which configuration counts', () => {
    const { shown, device } = lines()
    device.show({ type: 'configured', config: DeviceConfig.parse({ shell: 'full', policy: [{ tool: 'x', do: 'deny' }] }) })
    expect(shown).toEqual(['device.jsonc has changed and counts now: shell full, 1 rule'])
  })
})

describe('the lines of sessions', () => {
  const event = (type: SessionEvent['type'], data: SessionEvent['data'], ms = 0): SessionEvent => ({
    seq: 60,
    session_id: 's1',
    time: new Date(AT + ms).toISOString(),
    type,
    data,
  })

  it('say why one has failed, and which continue after a restart', () => {
    const shown: string[] = []
    const lines = new SessionLines((line) => shown.push(untimed(plain(line))))
    lines.show(event('accepted', { device_id: 'vm', request: 'one' }))
    lines.show(event('ended', { status: 'failed', error: 'it\nbroke' }, 65))
    const waits = { reason: 'device', since: TIME, session_id: null, behind: null }
    const away = { session_id: 's2', status: 'paused', request: 'two', created_at: TIME, waits_for: waits }
    lines.resumed(Session.parse(session(away)))
    lines.resumed(Session.parse(session({ session_id: 's3' })))
    lines.show({ ...event('ended', { status: 'completed' }, 2000), session_id: 's2' })
    expect(shown).toEqual([
      's1  vm: one',
      's1  failed in 65 ms: it broke',
      's2  continues  lab: two (waiting for lab to come back)',
      's2  completed in 2.0 s',
    ])
  })
})

describe('a narrow window', () => {
  const rows = [
    ['3f2a9c41', 'web-1', 'completed', 'a request of many words'],
    ['3f2a9c42', 'laptop-of-mine', 'failed', 'two'],
  ]

  it.each([20, 30, 40, 60])('of %d columns never makes a row take two lines: the right is cut', (width) => {
    const shown = table(['SESSION', 'DEVICE', 'STATUS', 'REQUEST'], rows, [3, 1], width).map(plain)
    for (const line of shown) expect(line.length).toBeLessThanOrEqual(width)
    expect(shown[1]).toMatch(/^3f2a9c41/)
  })
})

it.each([
  [110_000, 'in 1 min 50 s'],
  [3000, 'in 3 s'],
  [0, 'now'],
])('an approval that expires %d ms later expires %s', (ms, text) => {
  expect(inTime(new Date(AT + ms).toISOString(), AT)).toBe(text)
})

describe('a command that waits', () => {
  const QUEUED = { reason: 'queue', since: TIME, session_id: '3f2a9c41', behind: null }
  const waits = (message: string | null, of: object | null): string =>
    frame(null, 'progress', { call_id: null, tool: null, progress: null, total: null, message, waits_for: of })

  it('says on stderr what it waits for, once for each change, also in a pipe', async () => {
    const result = [{ status: 'success', error: null, result: 'done', namespace: null, call_id: 'c1' }]
    await using server = await scriptedServer({
      'POST /api/sessions': json(session({ status: 'accepted' }), 201),
      'GET /api/sessions/s1/events': stream([
        frame(1, 'accepted'),
        waits('queued behind 3f2a9c41', QUEUED),
        waits('queued behind 3f2a9c41', QUEUED),
        waits('queued behind 3f2a9c41, which waits for an approval at lab', { ...QUEUED, behind: 'approval' }),
        waits(null, null),
        frame(2, 'commands_sent', { response_id: 'b', commands: [{ tool_name: 'x', call_id: 'c1' }] }),
        frame(null, 'progress', { call_id: 'c1', message: 'waiting for permission at the device' }),
        waits('waiting for an approval at lab', { reason: 'approval', since: TIME, session_id: null, behind: null }),
        frame(3, 'ended'),
      ]),
      'GET /api/sessions/s1': json(session({ result })),
    })
    const { stdout, stderr, code } = await inPipes('call', 'lab', 'x', ...target(server.url))
    expect([stdout.toString(), code]).toEqual(['done\n', 0])
    expect(stderr.replaceAll(/since [\d: -]+/g, 'since TIME').split('\n')).toEqual([
      '• queued behind 3f2a9c41 (since TIME)',
      '• queued behind 3f2a9c41, which waits for an approval at lab (since TIME)',
      '• waiting for an approval at lab (since TIME)',
      '',
    ])
  })
})

describe('what is listed', () => {
  const folders: string[] = []
  afterEach(() => {
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
  })

  it('of sessions has the time of the day, and what each waits for', async () => {
    const waits = { reason: 'queue', since: TIME, session_id: '3f2a9c41', behind: null }
    await using server = await scriptedServer({
      'GET /api/sessions?limit=20': json({ sessions: [session({ status: 'accepted', waits_for: waits })], position: 'p' }),
    })
    const { written } = await onTerminal('sessions', ...target(server.url))
    expect(written).toMatch(/STARTED/)
    expect((await inPipes('sessions', ...target(server.url))).stdout.toString()).toMatch(
      /2026-01-01 \d\d:\d\d:\d\d .*\(queued behind 3f2a9c41\) words\n$/,
    )
  })

  it('of a device that is not known is an error', async () => {
    await using server = await scriptedServer({
      'GET /api/sessions?device_id=nosuch&limit=20': json({ sessions: [], position: 'p' }),
      'GET /api/devices/nosuch': json({ detail: "Device 'nosuch' is not known here", code: 'DEVICE_NOT_FOUND' }, 404),
    })
    expect(await onTerminal('sessions', '-d', 'nosuch', ...target(server.url))).toMatchObject({
      code: 1,
      written: "orrery: Device 'nosuch' is not known here\n",
    })
  })

  it('of the audit is readable, and says how to record more', async () => {
    const home = mkdtempSync(join(tmpdir(), 'orrery-home-'))
    folders.push(home)
    const entry = {
      time: TIME,
      session_id: 's1',
      call_id: 'c',
      agent: 'a',
      tool: 'S/run',
      decision: 'allow',
      rule: 'r',
      by: 'policy',
    }
    const more = { arguments_hash: '0123456789', outcome: 'success', error: null, duration_ms: 120_005 }
    mkdirSync(join(home, 'devices', 'd1'), { recursive: true })
    const written = [
      { ...entry, ...more, arguments: { command: 'df -h' } },
      { ...entry, ...more, program: 'df' },
    ]
    writeFileSync(join(home, 'devices', 'd1', 'audit.jsonl'), written.map((each) => `${JSON.stringify(each)}\n`).join(''))
    vi.stubEnv('ORRERY_HOME', home)
    const { stdout } = await inPipes('audit')
    expect(stdout.toString()).toMatch(/TOOK +WITH\n.*2 min 0 s +df -h\n.*2 min 0 s +df #01234567\n$/)
    vi.stubEnv('ORRERY_HOME', home)
    expect((await onTerminal('audit')).written).toContain('"audit": { "contents": true }')
    vi.stubEnv('ORRERY_HOME', home)
    expect(await onTerminal('audit', '-d', 'nosuch')).toMatchObject({
      code: 1,
      written: expect.stringContaining('there are: d1') as unknown,
    })
  })

  it('of one tool is all about it, with a call that works', async () => {
    const input = {
      properties: {
        path: { type: 'string', description: 'Where' },
        depth: { type: 'integer', default: 1 },
        of: { enum: ['a', 'b'] },
      },
      required: ['path'],
    }
    const tool = {
      tool_key: 'action::list',
      tool_name: 'list',
      tool_type: 'action',
      namespace: 'files',
      description: 'Lists',
      input_schema: input,
    }
    await using server = await scriptedServer({
      'GET /api/devices/lab': json({
        device_id: 'lab',
        status: 'online',
        platform: 'linux',
        features: [],
        current_session_id: null,
        connected_at: null,
        system_info: null,
      }),
      'GET /api/devices/lab/tools': json({ tools: [{ ...tool, annotations: { readOnlyHint: true } }], listed_at: TIME }),
    })
    const { written } = await onTerminal('tools', 'lab', 'list', ...target(server.url))
    expect(written).toMatch(
      /^list {2}files, only reads\nLists\n\nARGUMENT +TYPE +NEEDED +MEANING\npath +string +yes +Where\ndepth +integer +default 1\nof +a \| b\n/,
    )
    expect(written).toMatch(/orrery call lab list '\{"path":"…"\}'\n$/)
    expect((await onTerminal('tools', '-d', 'lab', 'list', ...target(server.url))).written).toBe(written)
    expect(await onTerminal('tools', 'lab', 'lists', ...target(server.url))).toMatchObject({
      code: 1,
      written: expect.stringContaining("did you mean 'list'?") as unknown,
    })
  })
})

describe('help', () => {
  it.each([
    [['help', 'policy', 'explain'], 0, /^Usage: orrery policy explain/],
    [['help', 'nope'], 2, /There is no command 'nope'/],
    [['-v'], 0, /^\d+\.\d+/],
    [['policy', 'explain'], 2, /missing required argument 'tool'\. See '(?:.\/)?orrery policy explain --help'/],
    [['call'], 2, /Name a tool/],
  ])('%j', async (words, code, text) => {
    expect(await onTerminal(...words)).toMatchObject({ code, written: expect.stringMatching(text) as unknown })
  })
})
