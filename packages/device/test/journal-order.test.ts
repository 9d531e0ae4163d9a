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
  expect(connection.frames.filter(({ type }) => type === 'command_results').at(-1)).toMatchObject({ prev_response_id: 'other' })
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
})
