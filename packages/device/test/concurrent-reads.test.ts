import { existsSync } from 'node:fs'
import { LIMITS } from '@orrery/aip'
import { McpServer } from '@modelcontextprotocol/server'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { DeviceConfig } from '../src/index.js'
import { TOOL_SERVER, withServers } from './support/config.js'
import { Holder } from './support/holder.js'
import { online, type OnlineDevice } from './support/running-device.js'
import { temporaryFolders } from './support/temporary.js'

const temporary = temporaryFolders()
const AGREED = { aip: { version: 1, features: ['journal', 'resume', 'cancel', 'progress', 'concurrent'] } }
const READ = { concurrent: true, session_id: 's9', response_id: 'r9' }
const call = (tool_name: string) => ({ tool_name })

/** Tools that read, each until it is let go, and how many do so at once. */
class Reader {
  running = 0
  most = 0
  runs = 0
  readonly #gate = Promise.withResolvers<void>()

  letGo(): void {
    this.#gate.resolve()
  }

  readonly factory = (): McpServer => {
    const server = new McpServer({ name: 'reader', version: '1.0.0' })
    const readOnly = { annotations: { readOnlyHint: true } }
    server.registerTool('look', readOnly, () => {
      this.runs += 1
      return { content: [{ type: 'text', text: 'seen' }] }
    })
    server.registerTool('stare', { ...readOnly, inputSchema: z.looseObject({}) }, async (_input, { mcpReq: { signal } }) => {
      this.running += 1
      this.most = Math.max(this.most, this.running)
      await Promise.race([this.#gate.promise, new Promise((resolve) => signal.addEventListener('abort', resolve))])
      this.running -= 1
      return { content: [{ type: 'text', text: 'seen' }] }
    })
    return server
  }
}

interface Busy extends OnlineDevice {
  holder: Holder
  reader: Reader
}

/** A device on which the session s1 runs a command that lasts. */
async function busy(agreed: unknown = AGREED): Promise<Busy> {
  const [holder, reader] = [new Holder(), new Reader()]
  const config = withServers({ boastful: { ...TOOL_SERVER, namespace: 'boastful' } })
  const localServers = { lab: holder.factory, reader: reader.factory }
  const running = await online({ config, localServers, journalPath: `${temporary()}/journal.db` }, agreed)
  running.connection.command([call('hold')])
  await holder.begun.promise
  return { ...running, holder, reader, [Symbol.asyncDispose]: () => running[Symbol.asyncDispose]() }
}

describe('a concurrent read', () => {
  it('runs while a session has the device, and changes nothing of that session', async () => {
    await using device = await busy()
    const { connection, holder } = device
    const { client } = device.device
    const results = await connection.run([call('look'), call('list_tools')], {
      ...READ,
      agent_name: 'Other',
      root_name: 'elsewhere',
    })
    expect(results).toMatchObject([{ status: 'success', result: 'seen' }, { status: 'success' }])
    expect(client.sessionId).toBe('s1')
    expect(client.ufoClient).toMatchObject({ sessionId: 's1', agentName: 'LinuxAgent', processName: '', rootName: '' })
    holder.letGo()
    expect(await connection.next('command_results')).toMatchObject({ session_id: 's1', action_results: [{ result: 'held' }] })
    expect(await connection.run([call('quick')], { response_id: 'r2' })).toMatchObject([{ result: 'quick' }])
  })

  it('leaves a free device free', async () => {
    await using device = await busy()
    device.holder.letGo()
    await device.connection.next('command_results')
    device.connection.send('task_end', { session_id: 's1', status: 'completed' })
    await device.logger.until('Client state has been reset')
    await device.connection.run([call('look')], READ)
    expect(await device.connection.run([call('quick')], { session_id: 's2', response_id: 'r2' })).toMatchObject([
      { result: 'quick' },
    ])
  })

  it('is refused where its tool does not only read, is not trusted, or does not exist; the rest is skipped', async () => {
    await using device = await busy()
    await device.logger.until('Server boastful is ready')
    for (const [tool, text] of [
      ['quick', 'quick cannot run beside a session: it is not a trusted read-only tool'],
      ['claims_read_only', 'claims_read_only cannot run beside a session: it is not a trusted read-only tool'],
      ['no_such_tool', 'Tool action::no_such_tool is not registered'],
    ] as const) {
      const results = await device.connection.run([call(tool), call('look')], { ...READ, response_id: tool })
      expect(results).toMatchObject([{ status: 'failure', error: expect.stringContaining(text) }, { status: 'skipped' }])
    }
    expect(device.reader.runs).toBe(0)
  })

  it('is refused for a command of the strict shell that a rule allows and that does more than read', async () => {
    const cwd = temporary()
    const config = DeviceConfig.parse({ policy: [{ argv: ['touch', '**'], do: 'allow' }] })
    await using device = await online({ config, cwd, journalPath: `${cwd}/journal.db` }, AGREED)
    const run = (command: string) => ({ tool_name: 'execute_command', parameters: { command } })
    const [touched] = await device.connection.run([run('touch made')], READ)
    expect(touched).toMatchObject({ status: 'failure', error: expect.stringContaining('not a trusted read-only tool') })
    expect(existsSync(`${cwd}/made`)).toBe(false)
    expect(await device.connection.run([run('ls')], { ...READ, response_id: 'r8' })).toMatchObject([{ status: 'success' }])
    const alone = { session_id: 's1', response_id: 'r1' }
    expect(await device.connection.run([run('touch made')], alone)).toMatchObject([{ status: 'success' }])
  })

  it('is journalled: the same batch again is answered with the same results', async () => {
    await using device = await busy()
    const first = await device.connection.run([call('look')], READ)
    expect(await device.connection.run([call('look')], READ)).toEqual(first)
    expect(device.reader.runs).toBe(1)
  })

  it('is one of a limited number at once; the others wait for their turn', async () => {
    await using device = await busy()
    const count = LIMITS.concurrentBatches + 3
    for (let n = 0; n < count; n += 1) device.connection.command([call('stare')], { ...READ, response_id: `r-${n}` })
    await expect.poll(() => device.reader.running).toBe(LIMITS.concurrentBatches)
    device.reader.letGo()
    for (let n = 0; n < count; n += 1) await device.connection.next('command_results')
    expect(device.reader.most).toBe(LIMITS.concurrentBatches)
  })

  it('ends when it is cancelled, and the session that has the device does not', async () => {
    await using device = await busy()
    device.connection.command([call('stare')], READ)
    await expect.poll(() => device.reader.running).toBe(1)
    device.connection.send('cancel', { session_id: 's9', response_id: null, call_id: null, reason: 'enough' })
    expect(await device.connection.next('command_results')).toMatchObject({
      session_id: 's9',
      action_results: [{ status: 'failure' }],
    })
    expect(device.holder.cancelled).toBe(0)
  })

  it('is a command like any other where it was not agreed on', async () => {
    await using device = await busy({ aip: { version: 1, features: ['journal', 'resume', 'cancel'] } })
    expect(await device.connection.run([call('look')], READ)).toMatchObject([
      { status: 'failure', error: expect.stringContaining('busy') },
    ])
  })
})
