import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../../test/support/manual-clock.js'
import { TOOL_SERVER, lives, withServers } from './support/config.js'
import { online } from './support/running-device.js'

const tool = (tool_name: string, parameters: object | null = null) => ({ tool_name, parameters })
const fixture = withServers({ lab: TOOL_SERVER })

async function pidOf(connection: Awaited<ReturnType<typeof online>>['connection']): Promise<number> {
  const [result] = await connection.run([tool('pid')])
  return Number(result!['result'])
}

describe('an MCP server as a child process', () => {
  it('serves each kind of result as the design says, falsy values as they are [S-164 S-165]', async () => {
    await using running = await online({ config: fixture })
    const results = await running.connection.run([
      tool('echo', { text: '{"a": 1}' }),
      tool('echo', { text: '' }),
      tool('wrapped', { value: 0 }),
      tool('wrapped', { value: false }),
      tool('wrapped', { value: [] }),
      tool('wrapped', { value: '' }),
      tool('record', { result: 1, more: 2 }),
      tool('record', { result: 1 }),
      tool('image'),
      tool('two'),
    ])
    expect(results.map((result) => result['result'])).toEqual([
      '{"a": 1}',
      '',
      0,
      false,
      [],
      '',
      { result: 1, more: 2 },
      { result: 1 },
      [{ type: 'image', mimeType: 'image/png', data: 'AAAA' }],
      [
        { type: 'text', text: 'a' },
        { type: 'text', text: 'b' },
      ],
    ])
    expect(results.every((result) => result['status'] === 'success' && result['error'] === null)).toBe(true)
    expect(results[0]).toMatchObject({ namespace: 'lab', call_id: 'c1' })
  })

  it('turns a tool that fails or throws, bad arguments and an unknown tool into failures, one per command [S-166 S-167]', async () => {
    await using running = await online({ config: fixture })
    const { connection } = running
    for (const [action, error] of [
      [tool('fail'), /^the disk is full$/],
      [tool('throw'), /the tool broke/],
      [tool('echo', { text: 5 }), /text/],
      [tool('nothing'), /^Tool action::nothing is not registered in current computer: LinuxAgent::::default$/],
    ] as const) {
      const results = await connection.run([action, tool('echo', { text: 'x' })])
      expect(results).toHaveLength(2)
      expect(results[0]).toMatchObject({ status: 'failure', result: null, call_id: 'c1' })
      expect(results[0]!['error']).toMatch(error)
      expect(results[1]).toEqual({
        status: 'skipped',
        error: 'Skipped due to previous failure (early_exit=True).',
        result: null,
        namespace: null,
        call_id: 'c2',
      })
    }
  })

  it('keeps one connection over calls and sessions', async () => {
    await using running = await online({ config: fixture })
    const first = await pidOf(running.connection)
    running.connection.send('task_end', { session_id: 's1', status: 'completed' })
    await running.logger.until('Client state has been reset.')
    expect(await pidOf(running.connection)).toBe(first)
  })

  it('restarts only servers with reset when a session ends [S-172 S-173]', async () => {
    await using running = await online({
      config: withServers({ keeps: TOOL_SERVER, changes: { ...TOOL_SERVER, reset: true } }),
    })
    const both = [tool('pid'), tool('changes.pid')]
    const before = await running.connection.run(both)
    running.connection.send('task_end', { session_id: 's1', status: 'completed' })
    const after = await running.connection.run(both)
    expect(after[0]!['result']).toBe(before[0]!['result'])
    expect(after[1]!['result']).not.toBe(before[1]!['result'])
    expect(lives(Number(before[1]!['result']))).toBe(false)
  })

  it('answers the call in which it dies at once with how it died, and starts again after 0.5, 1, 2 s', async () => {
    const clock = new ManualClock()
    await using running = await online({ config: fixture, clock })
    const { connection, logger } = running
    for (const wait of [0.5, 1, 2]) {
      const [result] = await connection.run([tool('crash')])
      expect(result).toMatchObject({
        status: 'failure',
        error: "MCP server 'lab' is not running: exited with code 7: out of memory",
      })
      await logger.until(`next start in ${wait}s`)
      const [meanwhile] = await connection.run([tool('echo', { text: 'x' })])
      expect(meanwhile!['error']).toContain('exited with code 7')
      const ready = logger.until('[MCP] Server lab is ready', true)
      await clock.advance(wait * 1000)
      await ready
    }
    const [result] = await connection.run([tool('echo', { text: 'back' })])
    expect(result!['result']).toBe('back')
  })

  it('waits no longer than 30 s between two starts, and names what its standard error said', async () => {
    const clock = new ManualClock()
    await using running = await online({
      config: withServers({ lab: { ...TOOL_SERVER, env: { FIXTURE_DIES: '1' } } }),
      clock,
    })
    for (const wait of [0.5, 1, 2, 4, 8, 16, 30, 30]) {
      await running.logger.until(`next start in ${wait}s`, wait === 30 && running.logger.count('in 30s') > 0)
      if (wait === 0.5) {
        const [result] = await running.connection.run([tool('echo')])
        expect(result!['error']).toMatch(/echo is not registered.*'lab' is not running.*exited with code 3: no licence found/)
      }
      void clock.advance(wait * 1000)
    }
  })

  it('ignores what a program prints between its messages', async () => {
    await using running = await online({ config: fixture })
    const before = await pidOf(running.connection)
    const [result] = await running.connection.run([tool('noise')])
    expect(result).toMatchObject({ status: 'success', result: 'heard' })
    expect(await pidOf(running.connection)).toBe(before)
  })

  it('tells that a program cannot be started', async () => {
    await using running = await online({ config: withServers({ lab: { command: 'no-such-program-here' } }) })
    const [result] = await running.connection.run([tool('echo')])
    expect(result!['error']).toContain('ENOENT')
  })

  it('ends with the device, with all that it started', async () => {
    let pids: number[] = []
    {
      await using running = await online({ config: fixture })
      const results = await running.connection.run([tool('pid'), tool('grandchild')])
      pids = results.map((result) => Number(result['result']))
      expect(pids.map(lives)).toEqual([true, true])
    }
    // The system takes a moment to end the grandchild.
    await expect.poll(() => pids.map(lives)).toEqual([false, false])
  })

  it('sees the configured variables, never the keys of the device', async () => {
    await using running = await online({
      config: withServers({ lab: { ...TOOL_SERVER, env: { LAB: 'yes' } } }),
      env: { ...process.env, ORRERY_API_KEY: 'secret' },
    })
    const [result] = await running.connection.run([tool('environment')])
    const seen = JSON.parse(String(result!['result'])) as Record<string, string>
    expect(seen['LAB']).toBe('yes')
    expect(seen['ORRERY_API_KEY']).toBeUndefined()
    expect(seen['PATH']).toBe(process.env['PATH'])
  })

  it('sends progress to a server that asked for it, in order and before the result', async () => {
    await using running = await online({ config: fixture }, { aip: { version: 1, features: ['progress'] } })
    const [result] = await running.connection.run([tool('progress')])
    expect(result!['result']).toBe('done')
    const progress = running.connection.frames.filter((frame) => frame['type'] === 'progress')
    expect(progress.map((frame) => [frame['progress'], frame['total'], frame['message']])).toEqual([
      [1, 3, 'step 1'],
      [2, 3, 'step 2'],
      [3, 3, 'step 3'],
    ])
    expect(progress[0]).toMatchObject({ session_id: 's1', call_id: 'c1', client_id: 'lab-1' })
    expect(running.connection.frames.at(-1)!['type']).toBe('command_results')
  })

  it('sends no progress to an existing server', async () => {
    await using running = await online({ config: fixture })
    const [result] = await running.connection.run([tool('progress')])
    expect(result!['status']).toBe('success')
    expect(running.connection.frames.some((frame) => frame['type'] === 'progress')).toBe(false)
  })

  it('hands a cancellation on to the server', async () => {
    await using running = await online({ config: fixture })
    running.connection.command([tool('wait')])
    await running.logger.until('[MCP] lab: waiting')
    running.connection.send('cancel', { session_id: 's1', response_id: null, call_id: 'c1', reason: 'user' })
    await running.logger.until('[MCP] lab: wait was cancelled')
    expect((await running.connection.next('command_results'))['action_results']).toMatchObject([
      { status: 'failure', error: 'cancelled', namespace: 'lab' },
    ])
  })

  it('speaks with the reference server of the protocol', async () => {
    const everything = new URL('../../../node_modules/@modelcontextprotocol/server-everything/dist/index.js', import.meta.url)
    await using running = await online({
      config: withServers({ everything: { command: process.execPath, args: [everything.pathname, 'stdio'] } }),
    })
    const [list, echo] = await running.connection.run([tool('list_tools'), tool('echo', { message: 'hello' })])
    expect((list!['result'] as unknown[]).length).toBeGreaterThan(5)
    expect(echo!['result']).toBe('Echo: hello')
  })
})
