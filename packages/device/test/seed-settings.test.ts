import { once } from 'node:events'
import { join } from 'node:path'
import { LIMITS } from '@orrery/aip'
import { describe, expect, it, vi } from 'vitest'
import { ManualClock } from '../../../test/support/manual-clock.js'
import { DeviceConfig } from '../src/index.js'
import { withServers } from './support/config.js'
import { online } from './support/running-device.js'
import { temporaryFolders } from './support/temporary.js'

const temporary = temporaryFolders()
const bare = withServers({})
const RESUMING = { aip: { version: 1, features: ['journal', 'resume'], resume_token: 'token', heartbeat_ms: 30_000 } }

function offerOf(registration: Record<string, unknown>): Record<string, unknown> {
  return (registration['metadata'] as { aip: Record<string, unknown> }).aip
}

describe('a device with resume: off', () => {
  it('offers neither journal nor resume, and is pinged every 20 s and dead after 180 s, whatever the server can do', async () => {
    const clock = new ManualClock()
    const config = { ...bare, resume: 'off' as const }
    const journalPath = join(temporary(), 'journal.db')
    const options = { config, clock, journalPath, persistent: true, heartbeatS: 1000 }
    await using running = await online(options, RESUMING, { autoPong: false })
    expect(offerOf(running.registration)['features']).toEqual(['cancel', 'progress', 'concurrent', 'info'])
    const ping = once(running.connection.socket, 'ping')
    await clock.advance(20_000)
    await ping
    await clock.advance(159_999)
    expect(running.device.client.isConnected()).toBe(true)
    await clock.advance(1)
    await running.logger.until('Retrying in 2s...')
  })

  it('shows the token that it was given before, without which its id would be refused', async () => {
    const journalPath = join(temporary(), 'journal.db')
    const serverName = 'home'
    {
      await using before = await online({ config: bare, journalPath, serverName }, RESUMING)
      expect(offerOf(before.registration)['resume_token']).toBeUndefined()
    }
    const config = { ...bare, resume: 'off' as const }
    await using running = await online({ config, journalPath, serverName })
    expect(offerOf(running.registration)).toMatchObject({
      features: ['cancel', 'progress', 'concurrent', 'info'],
      resume_token: 'token',
    })
  })

  it('clears its state when the connection drops', async () => {
    const config = { ...bare, resume: 'off' as const }
    const clock = new ManualClock()
    await using running = await online({ config, clock, journalPath: join(temporary(), 'journal.db') }, RESUMING)
    await running.connection.run([], { agent_name: 'HostAgent', process_name: 'explorer.exe' })
    const { ufoClient } = running.device.client
    expect(ufoClient.agentName).toBe('HostAgent')
    running.connection.socket.terminate()
    await running.logger.until('Client state has been reset.')
    expect([ufoClient.agentName, ufoClient.processName, ufoClient.rootName]).toEqual([null, null, null])
  })
})

describe('a limit of attempts', () => {
  it('that is given holds towards a server that keeps sessions too, with waits of 2, 4, 8 s, and the device ends [S-264]', async () => {
    const clock = new ManualClock()
    const journalPath = join(temporary(), 'journal.db')
    await using running = await online({ config: bare, clock, journalPath, maxRetries: 4, persistent: false }, RESUMING)
    await running.server[Symbol.asyncDispose]()
    for (const seconds of [2, 4, 8]) {
      await running.logger.until(`Retrying in ${seconds}s...`)
      await vi.waitFor(() => expect(clock.waits).toContain(seconds * 1000))
      await clock.advance(seconds * 1000)
    }
    expect(await running.device.done).toBe('retries_spent')
    expect(running.logger.lines).toContain('error [WS] Max retries reached. Exiting.')
  })
})

describe('the configuration of a device', () => {
  it('sets the interval of its heartbeats [S-262]', async () => {
    const clock = new ManualClock()
    await using running = await online({ config: { ...bare, heartbeat_s: 45 }, clock })
    expect(running.device.client.timeout).toBe(45)
    await clock.advance(45_000)
    expect(await running.connection.next('heartbeat')).toMatchObject({ client_id: 'lab-1' })
  })

  it('sets the largest frame that a server of Orrery sends, up to the 100 MiB that every server may send', async () => {
    await using running = await online({ config: { ...bare, max_frame: 100 * 1024 * 1024 } })
    expect(offerOf(running.registration)['max_frame']).toBe(LIMITS.frame)
    expect(() => DeviceConfig.parse({ max_frame: LIMITS.frame + 1 })).toThrow()
  })
})
