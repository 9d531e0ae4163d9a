import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { OrreryHome } from '../../../test/support/orrery-process.js'
import { event, frame, json, scriptedServer, session, stream, text } from '../../constellation/test/scripted-server.js'

const LAB = {
  device_id: 'lab',
  status: 'online',
  platform: 'linux',
  system_info: { hostname: 'lab\u001B[2J', cpu_count: 4 },
  features: ['journal'],
  connected_at: null,
  current_session_id: null,
  mcp_servers: null,
}
const SENT = {
  response_id: 'b1',
  commands: [{ tool_name: 'ping', parameters: { host: 'web-1' }, tool_type: null, call_id: 'c1' }],
}
const RECEIVED = { response_id: 'b1', duration_ms: 1234, results: [{ status: 'failure', error: 'no\nroute', call_id: 'c1' }] }

/** A scripted server with one device and the session `s1`. */
function labServer(routes: Parameters<typeof scriptedServer>[0]): ReturnType<typeof scriptedServer> {
  return scriptedServer({
    'GET /api/devices': json({ devices: [LAB] }),
    'POST /api/sessions': json(session({ status: 'accepted' }), 201),
    ...routes,
  })
}

// What a real server answers is in test/e2e; here it answers what is hard to bring about.
describe('client commands', () => {
  let home: OrreryHome
  beforeAll(() => {
    home = new OrreryHome()
  })
  afterAll(() => home[Symbol.asyncDispose]())

  it('`run` shows each command with device, tool, time and outcome, and what happens to the device', async () => {
    await using server = await labServer({
      'GET /api/sessions/s1/events': stream([
        frame(1, 'accepted'),
        frame(2, 'commands_sent', SENT),
        frame(3, 'paused'),
        frame(4, 'resumed'),
        frame(5, 'results_received', RECEIVED),
        frame(6, 'ended', { status: 'failed' }),
      ]),
      'GET /api/sessions/s1': json(session({ status: 'failed', error: 'it did not work' })),
    })
    const { code, stdout, stderr } = await home.run('run', 'ping it', '--server', server.url)
    expect(stderr.split('\n')).toEqual([
      '• lab is away; the session waits for it',
      '• lab is back',
      '✗ failure  lab: ping web-1  1.2 s',
      '  no route',
      'orrery: it did not work',
      '',
    ])
    expect([code, stdout]).toEqual([1, ''])
  })

  it('`run` continues when the event stream is cut', async () => {
    await using server = await labServer({
      'GET /api/sessions/s1/events': [stream([frame(1, 'accepted')], 'cut'), stream([frame(2, 'ended')])],
      'GET /api/sessions/s1': json(session({ result: 'done' })),
    })
    const { code, stdout } = await home.run('run', 'x', '--server', server.url)
    expect([code, stdout]).toEqual([0, 'done\n'])
  })

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    '%s cancels what `run` waits for, and ends it with 130 within 2 s',
    async (signal) => {
      await using server = await labServer({
        'GET /api/sessions/s1/events': stream(
          [frame(1, 'accepted'), frame(2, 'commands_sent', SENT), frame(3, 'paused')],
          'open',
        ),
        'POST /api/sessions/s1/cancel': json(session({ status: 'running' }), 202),
      })
      const run = home.start('run', 'x', '--server', server.url)
      await run.said(/lab is away/)
      const begun = performance.now()
      const { code, stderr } = await run.kill(signal)
      expect(code).toBe(130)
      expect(performance.now() - begun).toBeLessThan(4000)
      expect(stderr).toContain("may still run: 'orrery session s1'")
      expect(server.seen.map(({ line }) => line)).toContain('POST /api/sessions/s1/cancel')
    },
  )

  it('`call` prints text as it is, the error of a tool in full, and with --json the outcome', async () => {
    const result = { status: 'success', error: null, result: 'one\ntwo', namespace: null, call_id: 'c1' }
    const ended = { 'GET /api/sessions/s1/events': stream([frame(1, 'ended')]) }
    await using good = await labServer({ ...ended, 'GET /api/sessions/s1': json(session({ result: [result] })) })
    expect(await home.run('call', 'x', '--server', good.url)).toEqual({ code: 0, stdout: 'one\ntwo\n', stderr: '' })
    const outcome = await home.run('call', 'x', '--json', '--server', good.url)
    expect(JSON.parse(outcome.stdout)).toEqual({ session_id: 's1', status: 'completed', results: [result], error: null })
    const failure = { ...result, status: 'failure', error: 'line 1\nline 2', result: null }
    const failed = session({ status: 'failed', result: [failure], error: 'line 1' })
    await using bad = await labServer({ ...ended, 'GET /api/sessions/s1': json(failed) })
    expect(await home.run('call', 'x', '--server', bad.url)).toEqual({ code: 1, stdout: '', stderr: 'line 1\nline 2\n' })
  })

  it('asks which device is meant when several are online, and ignores those that are away', async () => {
    const other = { ...LAB, device_id: 'web-1' }
    await using two = await scriptedServer({ 'GET /api/devices': json({ devices: [LAB, other] }) })
    const ended = await home.run('tools', '--server', two.url)
    expect(ended).toMatchObject({
      code: 1,
      stderr: 'orrery: Several devices are online (lab, web-1): say which one, orrery tools DEVICE\n',
    })
    const away = { ...other, status: 'offline' }
    await using one = await scriptedServer({
      'GET /api/devices': json({ devices: [away, LAB] }),
      'GET /api/devices/lab': json(LAB),
      'GET /api/devices/lab/tools': json({ tools: [], listed_at: new Date().toISOString() }),
    })
    expect((await home.run('tools', '--server', one.url)).stdout).toContain('lab offers no tools')
  })

  it('`tools` shows how old the list of a device is that is busy or away', async () => {
    const tool = { tool_key: 'action::ping', tool_name: 'ping', tool_type: 'action', namespace: 'n', description: 'Pings' }
    const listed = (age: number) => json({ tools: [tool], listed_at: new Date(Date.now() - age).toISOString() })
    await using server = await labServer({
      'GET /api/devices/lab': [json({ ...LAB, status: 'offline' }), json({ ...LAB, status: 'busy' }), json(LAB)],
      'GET /api/devices/lab/tools': [listed(7_210_000), listed(190_000), listed(190_000)],
      'GET /api/devices/web-1': json({ ...LAB, device_id: 'web-1' }),
      'GET /api/devices/web-1/tools': json({ tools: [], listed_at: null }),
    })
    const away = await home.run('tools', '--server', server.url)
    expect(away.stdout).toMatch(/ping +Pings\n$/)
    expect(away.stderr).toBe('\nlab is offline: listed 2 h ago\n')
    expect((await home.run('tools', '--server', server.url)).stderr).toBe('\nlab is busy: listed 3 min ago\n')
    expect((await home.run('tools', '--server', server.url)).stderr).toBe('')
    expect((await home.run('tools', 'web-1', '--server', server.url)).stdout).toBe('web-1 has not listed its tools yet\n')
  })

  it('teaches where a list is empty', async () => {
    await using server = await scriptedServer({
      'GET /api/devices': json({ devices: [] }),
      'GET /api/sessions?limit=20': json({ sessions: [] }),
    })
    expect((await home.run('devices', '--server', server.url)).stdout).toBe(
      'No device is connected. Start one with: orrery device\n',
    )
    expect((await home.run('sessions', '--server', server.url)).stdout).toMatch(/^No session yet\. Start one with: orrery run/)
  })

  it('`devices --verbose` shows what a device tells, harmless to the terminal', async () => {
    await using server = await labServer({})
    const { stdout } = await home.run('devices', '--verbose', '--server', server.url)
    expect(stdout).toMatch(/^device +lab\n(.*\n)*hostname +lab\ncpu_count +4\n/)
    expect(stdout).not.toContain('\u001B')
  })

  it('finds a session by the beginning of its id, if only one begins like it', async () => {
    const unknown = json({ detail: "Session 's' is not known", code: 'SESSION_NOT_FOUND' }, 404)
    await using server = await labServer({
      'GET /api/sessions/s': unknown,
      'GET /api/sessions/s1x': unknown,
      'GET /api/sessions?limit=500': json({
        sessions: [session(), session({ session_id: 's2' }), session({ session_id: 's1x9' })],
      }),
      'POST /api/sessions/s1x9/cancel': json(session({ session_id: 's1x9' }), 202),
    })
    const several = await home.run('cancel', 's', '--server', server.url)
    expect(several).toMatchObject({ code: 1, stderr: "orrery: 3 sessions begin with 's': give more of the id\n" })
    const one = await home.run('cancel', 's1x', '--server', server.url)
    expect(one).toMatchObject({ code: 0, stdout: 'Session s1x9 is being cancelled\n' })
  })

  it('`session` shows a running session without waiting for its end', async () => {
    const running = session({ status: 'running' })
    await using server = await labServer({
      'GET /api/sessions/s1': json(running),
      'GET /api/sessions/s1/log?limit=1000': json({ events: [event(1, 'accepted'), event(2, 'commands_sent', SENT)] }),
    })
    const shown = await home.run('session', 's1', '--json', '--server', server.url)
    expect(JSON.parse(shown.stdout)).toMatchObject({ ...running, events: [{ seq: 1 }, { seq: 2 }] })
    expect((await home.run('session', 's1', '--server', server.url)).stdout).toMatch(
      /Status +running[\s\S]*commands_sent +ping web-1/,
    )
  })

  it('tells a web page from a server, without a stack', async () => {
    await using server = await scriptedServer({ 'GET /api/devices': text('<html>', 'text/html') })
    const { code, stderr } = await home.run('devices', '--server', server.url)
    expect(code).toBe(1)
    expect(stderr).toMatch(/^orrery: .* does not answer as an Orrery server .*\n$/)
  })
})
