import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { CommandJournal } from '../src/journal/command-journal.js'
import { withServers } from './support/config.js'
import { Holder } from './support/holder.js'
import { online, type OnlineDevice } from './support/running-device.js'

const RESUMING = { aip: { version: 1, features: ['journal', 'resume'], resume_token: 't1', session_id: null } }

/** Holds back what journals record by one of their methods. */
function holdRecords(method: 'begin' | 'started' | 'done' | 'finished') {
  const original = CommandJournal.prototype[method] as (...record: unknown[]) => Promise<void>
  const reached = Promise.withResolvers<void>()
  const gate = Promise.withResolvers<void>()
  const spy = vi.spyOn(CommandJournal.prototype, method).mockImplementation(async function held(
    this: CommandJournal,
    ...record: unknown[]
  ) {
    reached.resolve()
    await gate.promise
    return original.apply(this, record)
  })
  return { reached: reached.promise, release: gate.resolve, [Symbol.dispose]: () => spy.mockRestore() }
}

/** Shows that the device has sent no results: its answer to a batch that it refuses comes first. */
async function hasSentNothing({ connection }: OnlineDevice): Promise<void> {
  const refused = await connection.run([], { session_id: 'other', response_id: 'other' })
  expect(refused).toEqual([])
  expect(connection.frames.findLast(({ type }) => type === 'command_results')).toMatchObject({ prev_response_id: 'other' })
}

describe('a device with a journal', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'orrery-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  function start(holder: Holder): Promise<OnlineDevice> {
    const localServers = { lab: holder.factory }
    return online({ config: withServers({}), journalPath: join(folder, 'journal.db'), localServers }, RESUMING)
  }

  it.each(['begin', 'started'] as const)('has recorded a command (%s) before its tool runs', async (method) => {
    const holder = new Holder()
    await using running = await start(holder)
    using held = holdRecords(method)
    running.connection.command([{ tool_name: 'quick' }])
    await held.reached
    await hasSentNothing(running)
    expect(holder.quickRuns).toBe(0)
    held.release()
    expect(await running.connection.next('command_results')).toMatchObject({ action_results: [{ result: 'quick' }] })
    expect(holder.quickRuns).toBe(1)
  })

  it.each(['done', 'finished'] as const)('has recorded results (%s) before they are sent', async (method) => {
    const holder = new Holder()
    await using running = await start(holder)
    using held = holdRecords(method)
    running.connection.command([{ tool_name: 'quick' }])
    await held.reached
    expect(holder.quickRuns).toBe(1)
    await hasSentNothing(running)
    held.release()
    expect(await running.connection.next('command_results')).toMatchObject({ action_results: [{ result: 'quick' }] })
  })

  it('runs nothing that it cannot record', async () => {
    const holder = new Holder()
    await using running = await start(holder)
    using _ = vi.spyOn(CommandJournal.prototype, 'started').mockRejectedValue(new Error('no room'))
    const results = await running.connection.run([{ tool_name: 'quick', call_id: 'c1' }])
    expect(results).toMatchObject([{ status: 'failure', error: expect.stringContaining('no room') }])
    expect(holder.quickRuns).toBe(0)
  })

  it('answers a finished batch from its record, also where its commands have no ids', async () => {
    const holder = new Holder()
    await using running = await start(holder)
    const batch = [{ tool_name: 'quick', call_id: null }]
    const first = await running.connection.run(batch)
    expect(await running.connection.run(batch)).toEqual(first)
    expect(holder.quickRuns).toBe(1)
  })

  it('answers what was done before it died, and runs what was not begun', async () => {
    const holder = new Holder()
    const path = join(folder, 'journal.db')
    const before = new CommandJournal({ path, server: 'ws://elsewhere/ws' })
    const commands = ['c1', 'c2'].map((call_id) => ({ tool_name: 'quick', parameters: {}, tool_type: null, call_id }))
    const [done] = commands
    await before.begin({ session_id: 's1', response_id: 'r1', status: 'continue' })
    await before.started('r1', done!)
    const result = { status: 'success' as const, error: null, result: 'recorded', namespace: 'lab', call_id: 'c1' }
    await before.done('r1', done!, result)
    await before.close()
    await using running = await start(holder)
    expect(await running.connection.run(commands, { response_id: 'r1' })).toMatchObject([
      { call_id: 'c1', result: 'recorded' },
      { call_id: 'c2', status: 'success', result: 'quick' },
    ])
    expect(holder.quickRuns).toBe(1)
  })
})
