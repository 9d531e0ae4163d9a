import { lstatSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../../test/support/manual-clock.js'
import { loadDeviceConfig, type DeviceOptions } from '../src/index.js'
import { ALLOW_ALL, TOOL_SERVER, lives, onlyTools } from './support/config.js'
import { online, type OnlineDevice } from './support/running-device.js'
import { temporaryFolders } from './support/temporary.js'

const TAKEN_UP = 'was taken up'
const tool = (tool_name: string, parameters: object = {}) => ({ tool_name, parameters })

/** A device with a configuration file, and how to change that. */
interface Configured extends OnlineDevice {
  folder: string
  path: string
  /** Writes the file and waits until the device has taken it up. */
  change(config: object): Promise<void>
  value(name: string, parameters?: object): Promise<unknown>
}

describe('a change of device.jsonc', () => {
  const temporary = temporaryFolders()

  async function configured(config: object, options: Partial<DeviceOptions> = {}): Promise<Configured> {
    const folder = temporary()
    const path = join(folder, 'device.jsonc')
    writeFileSync(path, JSON.stringify(config))
    const load = () => loadDeviceConfig(path)
    const running = await online({ config: await load(), configFile: { path, load }, cwd: folder, ...options })
    return {
      ...running,
      folder,
      path,
      [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
      async change(next) {
        const taken = running.logger.until(TAKEN_UP, true)
        writeFileSync(path, JSON.stringify(next))
        await taken
      },
      async value(name, parameters) {
        const [result] = await running.connection.run([tool(name, parameters)])
        return result!['error'] ?? result!['result']
      },
    }
  }

  it('adds, restarts and ends MCP servers; the others and the connection stay', async () => {
    const bare = { tools: onlyTools(), policy: ALLOW_ALL }
    const as = (namespace: string, env = {}) => ({ ...TOOL_SERVER, namespace, env })
    await using device = await configured({ ...bare, mcpServers: { kept: as('kept'), changed: as('changed'), gone: as('gone') } })
    const pid = async (name: string): Promise<number> => Number(await device.value(name === 'kept' ? 'pid' : `${name}.pid`))
    const [kept, changed, gone] = [await pid('kept'), await pid('changed'), await pid('gone')]
    await device.change({ ...bare, mcpServers: { kept: as('kept'), changed: as('changed', { A: '1' }), added: as('added') } })
    expect(await pid('kept')).toBe(kept)
    expect(await pid('changed')).not.toBe(changed)
    expect(lives(await pid('added'))).toBe(true)
    expect(await device.value('gone.pid')).toMatch(/not registered/)
    await expect.poll(() => [changed, gone].map(lives)).toEqual([false, false])
    expect(device.server.attempts).toBe(1)
  })

  it('lets a running command end on the server that it began on', async () => {
    const config = { tools: onlyTools(), policy: ALLOW_ALL, mcpServers: { lab: TOOL_SERVER } }
    await using device = await configured(config)
    const pid = Number(await device.value('pid'))
    const running = device.connection.run([tool('wait'), tool('echo', { text: 'after' })])
    await device.logger.until('[MCP] lab: waiting')
    await device.change({ ...config, mcpServers: {} })
    expect(lives(pid)).toBe(true)
    device.connection.send('cancel', { session_id: 's1', response_id: null, call_id: 'c1', reason: 'enough' })
    const [cancelled, next] = await running
    expect(cancelled!['error']).toBe('cancelled')
    expect(next!['status']).toBe('skipped')
    await expect.poll(() => lives(pid)).toBe(false)
  })

  it('counts for the next command: policy, shell, roots and built-in tools', async () => {
    const tools = onlyTools('files', 'shell')
    await using device = await configured({ tools, policy: [{ tool: 'write_file', do: 'deny' }] })
    const write = () => device.value('write_file', { path: 'a.txt', content: 'x' })
    expect(await write()).toMatch(/Denied.*policy\.rules\[0\]/)
    await device.change({ tools, policy: [{ tool: 'write_file', do: 'allow' }], roots: ['other'] })
    expect(await write()).toMatch(/outside of|No such|not found/i)
    await device.change({ tools, policy: ALLOW_ALL })
    expect(await write()).toMatchObject({ path: join(device.folder, 'a.txt') })
    expect(await device.value('run_command', { line: 'echo $((1 + 1))' })).not.toMatchObject({ stdout: '2\n' })
    await device.change({ tools, policy: ALLOW_ALL, shell: 'full' })
    expect(await device.value('run_command', { line: 'echo $((1 + 1))' })).toMatchObject({ stdout: '2\n' })
    await device.change({ tools: onlyTools('files') })
    expect(await device.value('run_command', { line: 'echo x' })).toMatch(/not registered/)
  })

  it('gives agents and applications their own sets of MCP servers', async () => {
    const config = { tools: onlyTools('system', 'pdf'), policy: ALLOW_ALL }
    await using device = await configured(config)
    const servers = async (root_name: string): Promise<unknown> => {
      const [result] = await device.connection.run([tool('list_tools')], { root_name })
      return [...new Set((result!['result'] as { namespace: string }[]).map(({ namespace }) => namespace))]
    }
    expect(await servers('')).toEqual(['system', 'pdf'])
    await device.change({ ...config, agents: { LinuxAgent: { default: ['system'], READER: ['pdf'] }, Other: { default: [] } } })
    expect(await servers('')).toEqual(['system'])
    expect(await servers('READER')).toEqual(['pdf'])
    expect(await servers('WRITER')).toEqual(['system'])
  })

  it('that is wrong is reported in the log, and the device continues as before', async () => {
    const config = { tools: onlyTools(), policy: ALLOW_ALL, mcpServers: { lab: TOOL_SERVER } }
    await using device = await configured(config)
    const pid = await device.value('pid')
    const told = device.logger.until('previous configuration stays in effect', true)
    writeFileSync(device.path, '{\n  "shel": "full"\n}')
    await told
    expect(device.logger.lines.join('\n')).toContain("device.jsonc:2:3: unknown key 'shel'")
    expect(await device.value('pid')).toBe(pid)
    rmSync(device.path)
    await device.logger.until('ENOENT')
    expect(await device.value('pid')).toBe(pid)
    await device.change({ ...config, mcpServers: {} })
    expect(await device.value('pid')).toMatch(/not registered/)
  })

  it('is seen when an editor replaces the file, and behind a link', async () => {
    const clock = new ManualClock()
    const config = { tools: onlyTools('system'), policy: ALLOW_ALL }
    await using device = await configured(config, { clock })
    const replaced = device.logger.until(TAKEN_UP, true)
    writeFileSync(`${device.path}.new`, JSON.stringify({ tools: onlyTools() }))
    renameSync(`${device.path}.new`, device.path)
    await expect.poll(() => clock.waits).toContain(200)
    await clock.advance(200)
    await replaced

    const elsewhere = join(temporary(), 'real.jsonc')
    writeFileSync(elsewhere, JSON.stringify(config))
    rmSync(device.path)
    symlinkSync(elsewhere, device.path)
    await expect.poll(() => clock.waits).toContain(200)
    await clock.advance(200)
    await expect.poll(() => device.logger.count(TAKEN_UP)).toBe(2)
    // Nothing happens in the folder of the link now.
    writeFileSync(elsewhere, JSON.stringify({ tools: onlyTools(), policy: [] }))
    await clock.advance(5000)
    await expect.poll(() => device.logger.count(TAKEN_UP)).toBe(3)
  })

  it('names what counts from the next start on', async () => {
    await using device = await configured({ tools: onlyTools(), token: 'a' })
    await device.change({ tools: onlyTools(), token: 'b' })
    expect(device.logger.lines).toContain("warn [Config] 'token' has changed: that counts from the next start on")
  })

  it('cannot come from a tool: the file is closed, the link that leads to it too', async () => {
    const real = join(temporary(), 'real.jsonc')
    await using device = await configured({ tools: onlyTools('files'), policy: ALLOW_ALL })
    expect(await device.value('write_file', { path: 'device.jsonc', content: '{}' })).toMatch(/belongs to the device|closed/i)
    renameSync(device.path, real)
    symlinkSync(real, device.path)
    expect(await device.value('delete_file', { path: 'device.jsonc' })).toMatch(/belongs to the device|closed/i)
    expect(lstatSync(device.path).isSymbolicLink()).toBe(true)
  })
})
