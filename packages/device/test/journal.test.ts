import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { ManualClock } from '../../../test/support/manual-clock.js'
import { withServers } from './support/config.js'
import { Holder } from './support/holder.js'
import { DeviceConfig, startDevice } from '../src/index.js'
import { CommandJournal } from '../src/journal/command-journal.js'
import { RecordingLogger } from './support/recording-logger.js'
import { online, type OnlineDevice } from './support/running-device.js'

const bare = withServers({})
const call = (tool_name: string) => ({ tool_name })
const resuming = (session_id: string | null = null) => ({
  aip: { version: 1, features: ['journal', 'resume', 'cancel', 'progress'], resume_token: 't1', session_id },
})

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
})

function journal(): string {
  const folder = mkdtempSync(join(tmpdir(), 'orrery-'))
  folders.push(folder)
  return join(folder, 'journal.db')
}

describe('a device with a journal', () => {
  it('offers it, and comes back with the token of the last registration', async () => {
    const clock = new ManualClock()
    await using running = await online({ config: bare, clock, journalPath: journal() }, resuming())
    const offered = (running.registration['metadata'] as { aip: object }).aip
    expect(offered).toMatchObject({ version: 1, features: ['journal', 'resume', 'cancel', 'progress', 'concurrent', 'info'] })
    const retry = running.logger.until('Retrying')
    running.connection.socket.terminate()
    await retry
    void clock.advance(2000)
    const again = await (await running.server.connection()).accept(resuming())
    expect((again['metadata'] as { aip: object }).aip).toMatchObject({ resume_token: 't1' })
    expect(running.logger.lines.join('\n')).not.toContain('t1"')
  })

  it('shows its token to the server that gave it, and to no other', async () => {
    const options = { config: bare, journalPath: journal() }
    const shown = ({ registration }: OnlineDevice): unknown =>
      (registration['metadata'] as { aip: Record<string, unknown> }).aip['resume_token']
    const first = await online(options, resuming())
    expect(shown(first)).toBeUndefined()
    await first.device.stop()
    const other = { aip: { ...resuming().aip, resume_token: 't2' } }
    await using second = await online(options, other)
    expect(shown(second)).toBeUndefined()
    await second.device.stop()
    const device = startDevice({ ...options, serverUrl: `${first.server.url}?token=another-key`, clientId: 'lab-1' })
    const again = await (await first.server.connection()).accept(resuming())
    expect((again['metadata'] as { aip: object }).aip).toMatchObject({ resume_token: 't1' })
    await device.stop()
    await first[Symbol.asyncDispose]()
  })

  it('answers a batch that comes again with the same results, without running it again', async () => {
    const holder = new Holder()
    await using running = await online(
      { config: bare, journalPath: journal(), localServers: { lab: holder.factory } },
      resuming(),
    )
    const { connection } = running
    connection.command([call('hold')])
    await holder.begun.promise
    connection.command([call('hold')])
    holder.letGo()
    const [first, second] = [await connection.next('command_results'), await connection.next('command_results')]
    expect(second['action_results']).toEqual(first['action_results'])
    expect(await connection.run([call('hold')])).toEqual(first['action_results'])
    expect(holder.runs).toBe(1)
  })

  it('continues while the connection is away, and sends its results to the next, until they are acknowledged', async () => {
    const clock = new ManualClock()
    const holder = new Holder()
    await using running = await online(
      { config: bare, clock, journalPath: journal(), localServers: { lab: holder.factory } },
      resuming(),
    )
    const { server, logger } = running
    running.connection.command([call('hold')])
    await holder.begun.promise
    let { connection } = running
    for (const acknowledged of [false, true]) {
      const retry = logger.until('Retrying', true)
      connection.socket.terminate()
      await retry
      holder.letGo()
      void clock.advance(2000)
      connection = await server.connection()
      await connection.accept(resuming('s1'))
      const answer = await connection.next('command_results')
      expect(answer).toMatchObject({ prev_response_id: 'r1', session_id: 's1', action_results: [{ result: 'held' }] })
      if (acknowledged) connection.send('results_ack', { response_id: 'r1' })
    }
    await connection.run([call('quick')], { response_id: 'r2' })
    connection.send('results_ack', { response_id: 'r2' })
    const retry = logger.until('Retrying', true)
    connection.socket.terminate()
    await retry
    void clock.advance(2000)
    connection = await server.connection()
    await connection.accept(resuming('s1'))
    await connection.run([], { response_id: 'r3' })
    expect(connection.frames.map((frame) => frame['prev_response_id'] ?? frame['type'])).toEqual([
      'register',
      'device_info_response',
      'r3',
    ])
    expect(holder).toMatchObject({ runs: 1, cancelled: 0 })
  })

  it('cancels what runs when the server that answers next knows nothing of resuming', async () => {
    const clock = new ManualClock()
    const holder = new Holder()
    await using running = await online(
      { config: bare, clock, journalPath: journal(), localServers: { lab: holder.factory } },
      resuming(),
    )
    running.connection.command([call('hold')])
    await holder.begun.promise
    const retry = running.logger.until('Retrying')
    running.connection.socket.terminate()
    await retry
    expect(holder.cancelled).toBe(0)
    void clock.advance(2000)
    const other = await running.server.connection()
    await other.accept()
    expect(await other.run([call('quick')], { session_id: 's2', response_id: 'r2' })).toMatchObject([{ status: 'success' }])
    expect(holder.cancelled).toBe(1)
  })

  it('runs an interrupted command of the strict shell again only where the program itself only reads', async () => {
    const path = journal()
    const cwd = dirname(path)
    const command = (text: string) => ({
      tool_name: 'execute_command',
      parameters: { command: text },
      tool_type: null,
      call_id: 'c1',
    })
    const commands = { r1: command('touch made'), r2: command('ls') }
    const before = new CommandJournal({ path, server: 'ws://elsewhere/ws' })
    for (const [response_id, each] of Object.entries(commands)) {
      await before.begin({ session_id: 's1', response_id, status: 'continue' })
      await before.started(response_id, each)
    }
    await before.close()
    const config = DeviceConfig.parse({ policy: [{ argv: ['touch', '**'], do: 'allow' }] })
    await using running = await online({ config, cwd, journalPath: path }, resuming('s1'))
    const [touched] = await running.connection.run([commands.r1], { response_id: 'r1' })
    expect(touched).toMatchObject({ status: 'failure', error: expect.stringContaining('interrupted') })
    expect(existsSync(join(cwd, 'made'))).toBe(false)
    expect(await running.connection.run([commands.r2], { response_id: 'r2' })).toMatchObject([{ status: 'success' }])
  })

  it('ends what runs when it gives up on its server', async () => {
    const holder = new Holder()
    const options = { config: bare, journalPath: journal(), localServers: { lab: holder.factory }, maxRetries: 1 }
    await using running = await online(options, resuming())
    running.connection.command([call('hold')])
    await holder.begun.promise
    running.connection.socket.terminate()
    expect(await running.device.done).toBe('retries_spent')
    expect(holder.cancelled).toBe(1)
  })

  it('waits for its server as long as it takes, also after a restart of its own', async () => {
    const options = { config: bare, journalPath: journal(), persistent: true, maxRetries: 1 }
    const before = await online(options, resuming())
    await before[Symbol.asyncDispose]()
    const clock = new ManualClock()
    const logger = new RecordingLogger()
    const device = startDevice({ ...options, serverUrl: before.server.url, clientId: 'lab-1', clock, logger })
    await logger.until('Retrying')
    for (let attempt = 0; attempt < 3; attempt += 1) {
      const retry = logger.until('Retrying', true)
      void clock.advance(5000)
      await retry
    }
    await device.stop()
    expect(await device.done).toBe('stopped')
  })
})
