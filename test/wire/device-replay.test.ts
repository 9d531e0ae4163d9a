import { BUILT_IN_NAMES, DeviceConfig, startDevice } from '@orrery/device'
import { describe, expect, it } from 'vitest'
import { ManualClock } from '../support/manual-clock.js'
import { DEVICE_DELIBERATE, deliberately } from './deliberate.js'
import { ClientPlayer } from './client-player.js'
import { asObject, readRecording, recordingNames, requestOf, type Line } from './recording.js'
import { recordedTools } from './recorded-tools.js'

/** The lines of the connections that a real device made, and its id and key. */
function deviceSide(lines: readonly Line[]): { lines: Line[]; clientId: string; token: string } {
  const own = new Set<number>()
  let clientId = 'py1'
  let token = ''
  for (const line of lines) {
    const real = line.ev === 'http_request' && line.head?.some((header) => /^user-agent: python/i.test(header)) === true
    if (real) own.add(line.conn)
    if (real) token = new URL(requestOf(line).path, 'ws://x').searchParams.get('token') ?? ''
    const { type, client_type: role, client_id: id } = asObject(line.raw)
    if (type !== 'register' || !own.has(line.conn)) continue
    if (role === 'device') clientId = String(id)
    else own.delete(line.conn)
  }
  return { lines: lines.filter(({ conn }) => own.has(conn)), clientId, token }
}

const DEVICE_RECORDINGS = recordingNames().filter((name) => deviceSide(readRecording(name)).lines.length > 0)

const NO_TOOLS = DeviceConfig.parse({
  tools: Object.fromEntries(BUILT_IN_NAMES.map((name) => [name, false])),
  policy: [{ do: 'allow' }],
})

describe('the device, to a server that plays a recording', () => {
  it.each(DEVICE_RECORDINGS)('does in %s what was recorded, or what the list of differences says', async (name) => {
    const { lines, clientId, token } = deviceSide(readRecording(name))
    const clock = new ManualClock()
    await using player = await ClientPlayer.listen(clock)
    const device = startDevice({
      serverUrl: player.url,
      token,
      clientId,
      platform: 'linux',
      config: NO_TOOLS,
      localServers: recordedTools(lines),
      clock,
    })
    try {
      const differences = await player.play(lines)
      const others = differences.filter((found) => deliberately(found, DEVICE_DELIBERATE) === undefined)
      expect(others.map(({ type, field, recorded, played }) => ({ type, field, recorded, played }))).toEqual([])
    } finally {
      await device.stop()
    }
  })
})
