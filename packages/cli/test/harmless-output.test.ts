import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { frame, json, scriptedServer, session, stream } from '../../constellation/test/scripted-server.js'
import { createLogger } from '../src/settings/logging.js'
import { onTerminal } from './support/captured-terminal.js'

/** What a hostile device would write, and anything else. */
const HOSTILE = [
  '\u001B]52;c;AAAA\u0007',
  '\u001B]0;title\u001B\\',
  '\u001B[31m',
  '\u001B[8m',
  '\u009B2J',
  '\u009D0;t\u009C',
  '\u202E',
  '\u2066',
  '\u200B',
  '\u2028',
  '\r',
  '\u007F',
  '\uD800',
  '\u{E0041}',
  '\n',
  '\t',
]
/** Begins each text, to show that it has arrived. */
const MARK = 'mine'
const text = fc
  .array(fc.oneof(fc.constantFrom(...HOSTILE), fc.string({ unit: 'binary', maxLength: 8 })), { minLength: 1, maxLength: 8 })
  .map((parts) => `${MARK}${parts.join('')}`)

/** What Orrery itself does to a terminal without colours: it clears the last line. */
const OWN = '\r\u001B[2K'

function expectHarmless(written: string): void {
  const left = written.replaceAll(OWN, '').replaceAll(/[\n\t]/g, '')
  const found = left.match(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu)
  expect(found, JSON.stringify(left)).toBeNull()
}

/** Each way in which a command writes what others wrote: the routes of a server that puts a text everywhere, and the command. */
const WAYS: Record<string, (text: string) => { args: string[]; routes: Parameters<typeof scriptedServer>[0] }> = {
  'the result of a call': (t) => ({ args: ['call', 'lab', 'x'], routes: runs({ result: [result('success', t)] }) }),
  'the values and keys of a result': (t) => ({
    args: ['call', 'lab', 'x'],
    routes: runs({ result: [result('success', { [t]: [t] })] }),
  }),
  'a failing call': (t) => ({
    args: ['call', 'lab', 'x'],
    routes: runs({ result: [result('failure', null, t)], status: 'failed' }),
  }),
  'a call that failed before it ran': (t) => ({ args: ['call', 'lab', 'x'], routes: runs({ error: t, status: 'failed' }) }),
  'a call as JSON': (t) => ({ args: ['call', 'lab', 'x', '--json'], routes: runs({ result: [result('success', { [t]: t })] }) }),
  'a run': (t) => ({ args: ['run', 'x', '--device', 'lab'], routes: runs({ result: t }, t) }),
  'a run that fails': (t) => ({ args: ['run', 'x', '--device', t], routes: runs({ error: t, status: 'failed' }, t) }),
  'a run as JSON': (t) => ({ args: ['run', 'x', '--device', 'lab', '--json'], routes: runs({ result: t }, t) }),
  devices: (t) => ({ args: ['devices'], routes: { 'GET /api/devices': json({ devices: [device(t)] }) } }),
  'devices -v': (t) => ({ args: ['devices', '-v'], routes: { 'GET /api/devices': json({ devices: [device(t)] }) } }),
  'devices as JSON': (t) => ({ args: ['devices', '--json'], routes: { 'GET /api/devices': json({ devices: [device(t)] }) } }),
  tools: (t) => ({
    args: ['tools', 'lab'],
    routes: {
      'GET /api/devices/lab': json(device(t)),
      'GET /api/devices/lab/tools': json({ tools: [tool(t)], listed_at: '2026-01-01T00:00:00Z' }),
    },
  }),
  sessions: (t) => ({
    args: ['sessions'],
    routes: { 'GET /api/sessions?limit=20': json({ sessions: [hostileSession(t)] }) },
  }),
  session: (t) => ({
    args: ['session', 's1'],
    routes: {
      'GET /api/sessions/s1': json(hostileSession(t)),
      'GET /api/sessions/s1/log?limit=1000': json({ events: EVENTS(t) }),
    },
  }),
  workflows: (t) => ({
    args: ['workflows'],
    routes: {
      'GET /api/workflows': json({
        workflows: [
          { name: t, description: t, inputs: [{ name: t, type: 'string', required: false, default: t, description: t }] },
        ],
      }),
    },
  }),
  'open questions': (t) => ({ args: ['answer'], routes: { 'GET /api/asks': json({ asks: [ask(t)] }) } }),
  'an answered question': (t) => ({
    args: ['answer', 'a1', 'deny'],
    routes: { 'GET /api/asks': json({ asks: [ask(t)] }), 'POST /api/asks/a1': json(ask(t)) },
  }),
  'an error of the server': (t) => ({ args: ['devices'], routes: { 'GET /api/devices': json({ detail: t, code: t }, 500) } }),
  'what the user typed': (t) => ({ args: ['answer', `x${t}`, t], routes: { 'GET /api/asks': json({ asks: [] }) } }),
  'an unknown command': (t) => ({ args: [`x${t}`], routes: {} }),
}

function runs(ended: Record<string, unknown>, text = 'x'): Parameters<typeof scriptedServer>[0] {
  const frames = EVENTS(text).map(({ type, data }, index) => frame(index + 1, type, data))
  return {
    'GET /api/devices': json({ devices: [] }),
    'POST /api/sessions': json(session({ status: 'accepted' }), 201),
    'GET /api/sessions/s1/events': stream(frames),
    'GET /api/sessions/s1': json(session(ended)),
  }
}

const EVENTS = (t: string): { seq: number; session_id: string; time: string; type: string; data: Record<string, unknown> }[] =>
  (
    [
      ['accepted', { request: t, device_id: t }],
      ['commands_sent', { response_id: 'b', commands: [{ tool_name: t, parameters: { [t]: t }, call_id: 'c' }] }],
      ['progress', { call_id: 'c', progress: 1, total: 2, message: t }],
      ['progress', { call_id: null, message: t }],
      ['approval', { ask_id: t, summary: `${t}\n${t}` }],
      ['approval', { ask_id: t, decision: 'deny', by: t }],
      ['results_received', { response_id: 'b', duration_ms: 1, results: [{ status: 'failure', error: t, call_id: 'c' }] }],
      ['agent_step', { name: 'turn', value: { text: t, calls: [{ tool: t }] } }],
      ['question', { question_id: 'q', text: t }],
      ['answer', { question_id: 'q', text: t }],
      ['remark', { text: t }],
      ['paused', { message: t }],
      ['resumed', { message: t }],
      ['ended', { status: 'failed', error: t }],
    ] as const
  ).map(([type, data], index) => ({ seq: index + 1, session_id: 's1', time: '2026-01-01T00:00:00Z', type, data }))

function result(status: string, value: unknown, error: string | null = null): Record<string, unknown> {
  return { status, result: value, error, namespace: null, call_id: 'c' }
}

function hostileSession(t: string): Record<string, unknown> {
  const question = { question_id: 'q', text: t }
  return session({
    session_id: `s1${t}`,
    device_id: t,
    request: t,
    task_name: t,
    agent: t,
    error: t,
    result: { [t]: t },
    question,
  })
}

function device(t: string): Record<string, unknown> {
  return {
    device_id: t,
    status: 'offline',
    platform: t,
    system_info: { hostname: t, [t]: t, list: [t], inner: { [t]: t } },
    features: ['journal'],
    connected_at: t,
    last_seen_at: null,
    current_session_id: t,
    mcp_servers: [{ name: t, state: 'failed', tools: 0, error: t }],
  }
}

function tool(t: string): Record<string, unknown> {
  return {
    tool_key: t,
    tool_name: t,
    tool_type: 'action',
    namespace: t,
    title: t,
    description: `${t}x`,
    input_schema: { properties: { [t]: {} }, required: [t] },
    output_schema: null,
    meta: null,
    annotations: null,
  }
}

function ask(t: string): Record<string, unknown> {
  return {
    ask_id: 'a1',
    device_id: t,
    session_id: t,
    call_id: t,
    tool: t,
    arguments_hash: t,
    summary: `${t}\n${t}`,
    expires_at: t,
  }
}

describe('whatever a device, a model, a web page or a server wrote', () => {
  let home: string
  beforeAll(() => {
    home = mkdtempSync(join(tmpdir(), 'orrery-output-'))
  })
  afterAll(() => rmSync(home, { recursive: true }))
  beforeEach(() => {
    vi.stubEnv('ORRERY_HOME', home)
    vi.stubEnv('ORRERY_API_KEY', 'key')
  })

  it.each(Object.entries(WAYS))('%s leaves nothing on a terminal that could control it', async (_name, way) => {
    await fc.assert(
      fc.asyncProperty(text, async (hostile) => {
        vi.stubEnv('ORRERY_HOME', home)
        vi.stubEnv('ORRERY_API_KEY', 'key')
        const { args, routes } = way(hostile)
        await using server = await scriptedServer(routes)
        const { written } = await onTerminal(...args, ...(args[0]?.startsWith('x') ? [] : ['--server', server.url]))
        expect(written).toContain(MARK)
        expectHarmless(written)
      }),
      { numRuns: 15, examples: [[`${MARK}${HOSTILE.join('a')}`]] },
    )
  })

  it('the audit of this machine does not either', async () => {
    mkdirSync(join(home, 'devices', 'lab'), { recursive: true })
    const t = HOSTILE.join('a')
    const entry = {
      time: '2026-01-01T00:00:00Z',
      session_id: t,
      call_id: t,
      agent: t,
      tool: t,
      arguments_hash: t,
      arguments: { [t]: t },
      decision: 'allow',
      rule: t,
      by: t,
      outcome: t,
      error: t,
      duration_ms: 1,
    }
    writeFileSync(join(home, 'devices', 'lab', 'audit.jsonl'), `${JSON.stringify(entry)}\n`)
    for (const flags of [[], ['--json']]) {
      vi.stubEnv('ORRERY_HOME', home)
      const { written } = await onTerminal('audit', ...flags)
      expect(written).toContain('allow')
      expectHarmless(written)
    }
  })

  it('a log does not, on a terminal or in a file', async () => {
    let written = ''
    vi.spyOn(process.stderr, 'write').mockImplementation((chunk) => {
      written += String(chunk)
      return true
    })
    const before = process.stderr.isTTY
    process.stderr.isTTY = true
    vi.stubEnv('FORCE_COLOR', '0')
    try {
      const logger = await createLogger('INFO')
      for (const hostile of HOSTILE) logger.warn(`[WS] Server error: ${hostile}text`)
    } finally {
      process.stderr.isTTY = before
      vi.restoreAllMocks()
      vi.unstubAllEnvs()
    }
    const entries = written.trimEnd().split('\n')
    expect(entries.filter((line) => /^\d\d:\d\d:\d\d warning {2}\[WS\]/.test(line))).toHaveLength(HOSTILE.length)
    expect(entries.every((line) => /^(?:\d\d:\d\d:\d\d warning | {18})/.test(line))).toBe(true)
    expectHarmless(written)
  })
})
