import { LIMITS, MCPToolInfo, readDevicePush, type ReadDevicePush } from '@orrery/aip'
import { McpServer } from '@modelcontextprotocol/server'
import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../../test/support/manual-clock.js'
import { TOOL_SERVER, withServers } from './support/config.js'
import { online, type OnlineDevice } from './support/running-device.js'

const ORRERY = { aip: { version: 1, features: ['cancel'] } }

/** The pushes of a device, until one of them is what is wanted. */
async function pushed({ connection }: OnlineDevice, wanted: (push: ReadDevicePush) => boolean): Promise<ReadDevicePush> {
  for (;;) {
    const { metadata } = await connection.next('device_info_response')
    const push = readDevicePush(metadata as Record<string, unknown>)
    if (wanted(push)) return push
  }
}

/** A server inside the device with tools whose descriptions have this many characters. */
function described(tools: number, characters: number): () => McpServer {
  return () => {
    const server = new McpServer({ name: 'wordy', version: '1.0.0' })
    for (let n = 0; n < tools; n += 1) {
      server.registerTool(`t${n}`, { description: 'x'.repeat(characters) }, () => ({ content: [] }))
    }
    return server
  }
}

describe('the tools of a device', () => {
  it('are pushed to a server of Orrery as list_tools describes them, of both types, with what the device trusts', async () => {
    const clock = new ManualClock()
    const config = withServers({
      lab: { ...TOOL_SERVER, trustAnnotations: true },
      eyes: { ...TOOL_SERVER, namespace: 'eyes', type: 'data_collection' },
    })
    await using running = await online({ config, clock }, ORRERY)
    await running.logger.until('Server lab is ready')
    await running.logger.until('Server eyes is ready')
    await clock.advance(1000)
    const push = await pushed(running, ({ tools }) => new Set(tools?.map(({ namespace }) => namespace)).size === 2)
    const listed = await running.connection.run([{ tool_name: 'list_tools' }])
    expect(push.tools?.map((tool) => MCPToolInfo.parse(tool))).toEqual(listed[0]!['result'])
    expect(new Set(push.tools?.map(({ tool_type, trusted }) => `${tool_type} ${trusted}`))).toEqual(
      new Set(['action true', 'data_collection false']),
    )
    expect(push.tools_omitted).toBe(0)
  })

  it('are pushed again when a server dies: its tools are gone until it is back', async () => {
    const clock = new ManualClock()
    await using running = await online({ config: withServers({ lab: TOOL_SERVER }), clock }, ORRERY)
    await running.logger.until('Server lab is ready')
    await clock.advance(1000)
    await pushed(running, ({ tools }) => (tools?.length ?? 0) > 0)
    const down = running.logger.until('Server lab is not running')
    await running.connection.run([{ tool_name: 'crash' }])
    await down
    await clock.advance(1000)
    await pushed(running, ({ tools }) => tools?.length === 0)
  })

  it('are cut and counted where the message would get too large', async () => {
    const clock = new ManualClock()
    const localServers = { wordy: described(6, LIMITS.toolList / 4) }
    await using running = await online({ config: withServers({}), clock, localServers }, ORRERY)
    await running.logger.until('Server wordy is ready')
    await clock.advance(1000)
    const push = await pushed(running, ({ tools }) => (tools?.length ?? 0) > 0)
    expect(push.tools?.map(({ tool_name }) => tool_name)).toEqual(['t0', 't1', 't2'])
    expect(push.tools_omitted).toBe(3)
    const size = Math.max(...running.connection.frames.map((frame) => JSON.stringify(frame).length))
    expect(size).toBeLessThan(LIMITS.toolList + 64 * 1024)
  })
})
