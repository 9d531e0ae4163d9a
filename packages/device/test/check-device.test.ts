import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { checkDevice } from '../src/index.js'
import { ManualClock } from '../../../test/support/manual-clock.js'
import { TOOL_SERVER, onlyTools } from './support/config.js'
import { temporaryFolders } from './support/temporary.js'

describe('checking a configuration', () => {
  const folder = temporaryFolders()
  const fileOf = (config: object): string => {
    const path = join(folder(), 'device.jsonc')
    writeFileSync(path, JSON.stringify(config, null, 2))
    return path
  }

  it('starts each MCP server for real and reports which work, with how many tools', async () => {
    const path = fileOf({
      tools: onlyTools('system'),
      mcpServers: {
        lab: TOOL_SERVER,
        dies: { ...TOOL_SERVER, env: { FIXTURE_DIES: '1' } },
        none: { command: 'no-such-program' },
      },
    })
    const { servers, warnings } = await checkDevice(path, { timeoutMs: 60_000 })
    expect(servers).toEqual([
      { name: 'system', state: 'ready', tools: 4, error: null },
      { name: 'lab', state: 'ready', tools: expect.any(Number), error: null },
      { name: 'dies', state: 'failed', tools: 0, error: expect.stringContaining('no licence found') },
      { name: 'none', state: 'failed', tools: 0, error: expect.stringContaining('ENOENT') },
    ])
    expect(warnings).toEqual([])
  })

  it('does not wait forever for a server that says nothing, and ends it', async () => {
    const clock = new ManualClock()
    const path = fileOf({ tools: onlyTools(), mcpServers: { mute: { command: 'sleep', args: ['600'] } } })
    const checked = checkDevice(path, { timeoutMs: 5000, clock })
    await expect.poll(() => clock.waits).toContain(5000)
    await clock.advance(5000)
    expect((await checked).servers).toEqual([{ name: 'mute', state: 'failed', tools: 0, error: 'it did not start within 5 s' }])
  })

  it('warns of rules that no call can match, with their lines', async () => {
    const path = fileOf({
      tools: onlyTools('system', 'BashExecutor'),
      mcpServers: { lab: TOOL_SERVER },
      policy: [
        { tool: 'execute_command', argv: ['git'], do: 'allow' },
        { tool: 'exeute_command', do: 'allow' },
        { tool: 'action::ec*', do: 'allow' },
        { server: 'labs', do: 'allow' },
        { server: 'lab', argv: ['git'], do: 'allow' },
        { tool: 'write_file', do: 'deny' },
        { do: 'ask' },
        { tool: 'echo', do: 'deny' },
      ],
    })
    const { warnings } = await checkDevice(path, { timeoutMs: 60_000 })
    expect(warnings.map((each) => each.replace(/^.*device\.jsonc:\d+:5: policy/, ''))).toEqual([
      "[1] never matches: no tool is called 'exeute_command'",
      "[3] never matches: no MCP server that runs is called 'labs'",
      "[4] never matches: 'argv' is known only of the tools that come with the device",
      "[5] never matches: no tool is called 'write_file': 'files', which has it, is off or not for this machine",
      '[7] never matches: rule 7 decides about every call before it',
    ])
  })

  it('warns of no rule that may be about a server that does not start', async () => {
    const path = fileOf({
      tools: onlyTools(),
      mcpServers: { none: { command: 'no-such-program' } },
      policy: { rules: [{ tool: 'anything', do: 'allow' }] },
    })
    expect((await checkDevice(path, { timeoutMs: 60_000 })).warnings).toEqual([])
  })
})
