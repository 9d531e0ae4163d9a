import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../../test/support/manual-clock.js'
import { TOOL_SERVER, lives, withServers } from './support/config.js'
import { online, type OnlineDevice } from './support/running-device.js'

const tool = (tool_name: string, parameters: object = {}) => ({ tool_name, parameters })
const ORRERY = { aip: { version: 1, features: ['cancel', 'progress'] } }
const TWO = withServers({ lab: { ...TOOL_SERVER, namespace: 'lab' }, other: { ...TOOL_SERVER, namespace: 'other' } })

async function value({ connection }: OnlineDevice, name: string): Promise<unknown> {
  const [result] = await connection.run([tool(name)])
  return result!['error'] ?? result!['result']
}

/** The reports of a device, until one of them is what is wanted. */
async function reported({ connection }: OnlineDevice, wanted: (states: Record<string, unknown>[]) => boolean): Promise<object[]> {
  for (;;) {
    const { metadata } = (await connection.next('device_info_response')) as {
      metadata: { mcp_servers: Record<string, unknown>[] }
    }
    if (wanted(metadata.mcp_servers)) return metadata.mcp_servers
  }
}

describe('an MCP server that hangs', () => {
  it('is found by a question for its tools, ended and restarted; the others continue', async () => {
    const clock = new ManualClock()
    await using running = await online({ config: TWO, clock })
    const [lab, other] = [Number(await value(running, 'pid')), await value(running, 'other.pid')]
    await value(running, 'hang')
    await running.logger.until('[MCP] lab: hanging')
    await clock.advance(30_000)
    // Time does not wait for real answers: the other one has been asked too, and answers before it serves this call.
    await value(running, 'other.pid')
    const down = running.logger.until('Server lab is not running, next start in 0.5s')
    await clock.advance(15_000)
    await down
    expect(running.logger.lines.join('\n')).toMatch(/it no longer lists its tools: .*15/)
    expect(lives(lab)).toBe(false)
    const ready = running.logger.until('Server lab is ready', true)
    await clock.advance(500)
    await ready
    expect(Number(await value(running, 'pid'))).not.toBe(lab)
    expect(await value(running, 'other.pid')).toBe(other)
    expect(running.server.attempts).toBe(1)
  })

  it('is not asked while a call runs on it: it may do one thing at a time', async () => {
    const clock = new ManualClock()
    await using running = await online({ config: TWO, clock })
    const pid = await value(running, 'pid')
    running.connection.command([tool('wait')])
    await running.logger.until('[MCP] lab: waiting')
    await clock.advance(120_000)
    running.connection.send('cancel', { session_id: 's1', response_id: null, call_id: 'c1', reason: 'enough' })
    await running.connection.next('command_results')
    expect(await value(running, 'pid')).toBe(pid)
  })
})

describe('the states of MCP servers', () => {
  it('go to a server of Orrery, at once and after changes, not more than once a second', async () => {
    const clock = new ManualClock()
    const config = withServers({ lab: TOOL_SERVER, none: { command: 'no-such-program' } })
    await using running = await online({ config, clock }, ORRERY)
    await reported(running, (states) => states.length === 2)
    await running.logger.until('Server lab is ready')
    await running.logger.until('Server none is not running')
    await clock.advance(1000)
    const states = await reported(running, ([lab]) => lab?.['state'] === 'ready')
    expect(states).toMatchObject([
      { name: 'lab', state: 'ready', error: null },
      { name: 'none', tools: 0, error: expect.stringContaining('ENOENT') },
    ])
    expect(await value(running, 'crash')).toMatch(/out of memory/)
    await clock.advance(400)
    await running.connection.run([])
    const before = running.connection.frames.filter(({ type }) => type === 'device_info_response').length
    await clock.advance(1000)
    expect(await reported(running, ([lab]) => lab?.['state'] !== 'ready')).toMatchObject([
      { name: 'lab', error: expect.stringMatching(/exited with code 7: out of memory/) },
      {},
    ])
    await running.connection.run([])
    expect(running.connection.frames.filter(({ type }) => type === 'device_info_response').length - before).toBeLessThanOrEqual(2)
  })

  it('go to no existing server', async () => {
    const clock = new ManualClock()
    await using running = await online({ config: TWO, clock })
    await running.logger.until('Server lab is ready')
    await clock.advance(5000)
    await running.connection.run([])
    expect(running.connection.frames.some(({ type }) => type === 'device_info_response')).toBe(false)
  })
})
