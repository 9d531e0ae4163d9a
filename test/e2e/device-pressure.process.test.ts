import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LIMITS } from '@orrery/aip'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TOOL_SERVER } from '../../packages/device/test/support/config.js'
import { ScriptedServer, type ScriptedConnection } from '../../packages/device/test/support/scripted-server.js'
import { OrreryHome, type OrreryProcess } from '../support/orrery-process.js'

/** What a device may use of the memory at any moment, in bytes. */
const MEMORY = 300 * 1024 * 1024

const tool = (tool_name: string, parameters: object = {}) => ({ tool_name, parameters })

describe.runIf(process.platform === 'linux')('a device under pressure', () => {
  const folder = mkdtempSync(join(tmpdir(), 'orrery-'))
  const home = new OrreryHome()
  let server: ScriptedServer
  let device: OrreryProcess
  let connection: ScriptedConnection
  let batches = 0

  beforeAll(async () => {
    const config = { shell: 'full', roots: [folder], mcpServers: { lab: TOOL_SERVER }, policy: [{ do: 'allow' }] }
    writeFileSync(join(home.path, 'device.jsonc'), JSON.stringify(config))
    server = await ScriptedServer.listen()
    device = home.start('device', '--ws-server', server.url)
    connection = await server.connection()
    await connection.accept({ aip: { version: 1, features: ['journal', 'resume', 'cancel', 'progress'] } })
    await run([tool('echo', { text: 'ready' })])
  })
  afterAll(async () => {
    await home[Symbol.asyncDispose]()
    await server[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true })
  })

  /** Runs a batch under an id of its own. */
  function run(actions: ReturnType<typeof tool>[]): Promise<Record<string, unknown>[]> {
    batches += 1
    return connection.run(actions, { response_id: `p${batches}` })
  }

  /** The most memory that the device ever had, in bytes. */
  const peak = (): number => Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${device.pid}/status`, 'utf8'))?.[1]) * 1024

  /** The device answers a heartbeat, whatever it does. */
  async function answers(): Promise<void> {
    const pong = once(connection.socket, 'pong')
    connection.socket.ping()
    await pong
  }

  /** Does the work, and asks for heartbeats all the while. @returns how many came before the work was done */
  async function beatsDuring(work: Promise<unknown>): Promise<number> {
    let beats = 0
    const done = work.then(() => true)
    while (!(await Promise.race([done, answers().then(() => false)]))) beats += 1
    return beats
  }

  it('takes 10,000 commands at once, and answers heartbeats meanwhile', { timeout: 120_000 }, async () => {
    const ids = Array.from({ length: 10 }, (_, index) => `many-${index}`)
    const answered = new Set<unknown>()
    let succeeded = 0
    const all = (async () => {
      while (answered.size < ids.length) {
        const results = await connection.next('command_results')
        answered.add(results['prev_response_id'])
        succeeded += (results['action_results'] as { status: string }[]).filter(({ status }) => status === 'success').length
      }
    })()
    const pair = [tool('echo', { text: 'x' }), tool('stat_file', { path: '.' })]
    const actions = Array.from({ length: 500 }, () => pair).flat()
    for (const id of ids) connection.command(actions, { response_id: id })
    expect(await beatsDuring(all)).toBeGreaterThan(10)
    expect(answered).toEqual(new Set(ids))
    expect(succeeded).toBe(10_000)
    expect(peak()).toBeLessThan(MEMORY)
  })

  it('refuses more commands in a batch than the limit, and continues', async () => {
    const results = await run(Array.from({ length: 10_000 }, () => tool('echo', { text: 'x' })))
    expect(results).toHaveLength(10_000)
    expect(new Set(results.map(({ error }) => error))).toEqual(new Set(['A batch may hold at most 1000 commands']))
    expect(peak()).toBeLessThan(MEMORY)
  })

  it('is not filled by a program that prints forever', { timeout: 60_000 }, async () => {
    const printing = run([tool('run_command', { line: 'yes "$(head -c 900 /dev/zero | tr \\\\0 y)"', timeout_s: 4 })])
    expect(await beatsDuring(printing)).toBeGreaterThan(10)
    expect((await printing)[0]).toMatchObject({ status: 'failure', result: { ended: 'timeout' } })
    expect(peak()).toBeLessThan(MEMORY)
  })

  it('waits for a tool that never ends without being held up, and lets it be cancelled', async () => {
    batches += 1
    connection.command([tool('wait')], { response_id: `p${batches}` })
    await answers()
    connection.send('cancel', { session_id: 's1', response_id: null, call_id: 'c1', reason: 'enough' })
    const { action_results: results } = await connection.next('command_results')
    expect(results).toMatchObject([{ status: 'failure', error: 'cancelled' }])
  })

  it('survives a tool that crashes its server', async () => {
    expect((await run([tool('crash')]))[0]!['error']).toMatch(/out of memory/)
    await answers()
    expect((await run([tool('machine_info')]))[0]!['status']).toBe('success')
    await expect.poll(async () => (await run([tool('echo', { text: 'back' })]))[0]!['result'], { timeout: 10_000 }).toBe('back')
  })

  it('takes arguments up to the size that it asks its server for', { timeout: 60_000 }, async () => {
    for (let round = 0; round < 6; round += 1) {
      const content = (round % 2 === 0 ? 'x' : 'ü').repeat((LIMITS.deviceFrame / 2 - 1024) * (round % 2 === 0 ? 2 : 1))
      const written = run([tool('write_file', { path: 'large', content })])
      expect(await beatsDuring(written)).toBeGreaterThan(0)
      expect((await written)[0]).toMatchObject({ status: 'success' })
    }
    expect(peak()).toBeLessThan(MEMORY)
  })

  it('answers unknown tools and huge arguments, one result each', { timeout: 60_000 }, async () => {
    const unknown = await run(Array.from({ length: 1000 }, (_, index) => tool(`no_such_tool_${index}`)))
    expect(unknown).toHaveLength(1000)
    const text = 'ü'.repeat(1_250_000)
    const huge = run([tool('echo', { text }), tool('no_such_tool', { text }), tool(text)])
    expect(await beatsDuring(huge)).toBeGreaterThan(0)
    expect((await huge).map(({ status }) => status)).toEqual(['success', 'failure', 'skipped'])
    expect(peak()).toBeLessThan(MEMORY)
  })
})
