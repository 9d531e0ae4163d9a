import { anything, assert, dictionary, property, string } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readDevicePush } from '../src/index.js'

const TOOL = { tool_key: 'action::say', tool_name: 'say', namespace: 'lab', tool_type: 'action' }
const SERVER = { name: 'lab', state: 'ready', tools: 1, error: null }

describe('what a device pushes', () => {
  it('is its MCP servers and its tools, beside what else it says about itself', () => {
    const push = readDevicePush({ mcp_servers: [SERVER], tools: [{ ...TOOL, trusted: true }], tools_omitted: 2, screen: 'new' })
    expect(push.mcp_servers).toEqual([SERVER])
    expect(push.tools).toMatchObject([{ ...TOOL, trusted: true, title: null, annotations: null }])
    expect(push).toMatchObject({ tools_omitted: 2, info: { screen: 'new' } })
  })

  it('keeps an MCP server in a state that the reader does not know', () => {
    const push = readDevicePush({
      mcp_servers: [SERVER, { name: 'new', state: 'hibernating', tools: 'few' }, { state: 'ready' }, 7],
    })
    expect(push.mcp_servers).toEqual([SERVER, { name: 'new', state: 'unknown', tools: 0, error: null }])
    expect(push).toMatchObject({ tools: null, tools_omitted: 0, info: null })
  })

  it('trusts no tool that the device does not say to be trusted', () => {
    const { tools } = readDevicePush({ tools: [TOOL, { ...TOOL, trusted: 'yes' }, { ...TOOL, tool_type: 'magic' }] })
    expect(tools?.map(({ trusted }) => trusted)).toEqual([false, false])
  })

  it('never fails to be read', () => {
    assert(
      property(dictionary(string(), anything()), anything(), anything(), (rest, mcp_servers, tools) => {
        readDevicePush({ ...rest, mcp_servers, tools, tools_omitted: mcp_servers })
      }),
    )
  })
})
