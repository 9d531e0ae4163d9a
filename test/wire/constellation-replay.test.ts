import { ConstellationClient } from '@orrery/constellation'
import { describe, expect, it } from 'vitest'
import { ManualClock } from '../support/manual-clock.js'
import type { Json } from '../support/wire-client.js'
import { ClientPlayer } from './client-player.js'
import { CONSTELLATION_DELIBERATE, deliberately } from './deliberate.js'
import { asObject, readRecording, requestOf, type Line } from './recording.js'

/** The name that the recorded Galaxy client had. */
const NAME = 'demo'

/** What a constellation did on its connection. */
interface ConstellationSide {
  lines: Line[]
  deviceId: string
  token: string
  /** What the client said of itself, without what is true of each connection. */
  metadata: Json
  /** What it asked for, in order. */
  asked: Json[]
}

/** The lines of the constellation's connection. Ids of plain clients are brought to the form that Galaxy clients give them. */
function constellationSide(recording: string): ConstellationSide {
  const all = readRecording(recording)
  const register = all.find(({ raw }) => asObject(raw)['type'] === 'register' && asObject(raw)['client_type'] === 'constellation')
  const { client_id: clientId, target_id: deviceId, metadata } = asObject(register?.raw)
  const sessionId = all.map(({ raw }) => asObject(raw)).find(({ type }) => type === 'task')?.['session_id']
  const given = [
    [clientId, `${NAME}@${String(deviceId)}`],
    [sessionId, `${NAME}@task_1`],
  ] as const
  const rename = (raw: string): string =>
    given.reduce((text, [recorded, ours]) => text.replaceAll(`"${String(recorded)}"`, `"${ours}"`), raw)
  const lines = all
    .filter(({ conn }) => conn === register?.conn)
    .map((line) => (line.raw === undefined ? line : Object.assign(line, { raw: rename(line.raw) })))
  const own = lines.filter(({ ev, dir }) => ev === 'msg' && dir === 'c2s').map(({ raw }) => asObject(raw))
  const upgrade = lines.find(({ ev }) => ev === 'http_request')
  const path = upgrade === undefined ? '' : requestOf(upgrade).path
  return {
    lines,
    deviceId: String(deviceId),
    token: new URL(path, 'ws://x').searchParams.get('token') ?? '',
    metadata: metadata as Json,
    asked: own.filter(({ type }) => type === 'task' || type === 'device_info_request'),
  }
}

describe('the constellation client, to a server that plays a recording', () => {
  it.each(['03_constellation_task_galaxy_py', '03b_constellation_task_raw', '07_device_lost_constellation_task'])(
    'does in %s what was recorded, or what the list of differences says',
    async (recording) => {
      const { lines, deviceId, token, metadata, asked } = constellationSide(recording)
      const clock = new ManualClock()
      await using player = await ClientPlayer.listen(clock)
      const client = new ConstellationClient({
        name: NAME,
        devices: [{ deviceId, server: player.url, apiKey: token }],
        metadata,
        clock,
      })
      const played = player.play(lines)
      const ends: unknown[] = []
      await client.connect(deviceId)
      for (const { type, request, task_name: taskName } of asked) {
        if (type === 'device_info_request')
          expect(await client.requestDeviceInfo(deviceId)).toMatchObject({ device_id: deviceId })
        else {
          const run = client.runTask(deviceId, String(request), { taskId: 'task_1', taskName: String(taskName) })
          ends.push(await run.result.catch((error: unknown) => error))
        }
      }
      await client.close()
      const others = (await played).filter((found) => deliberately(found, CONSTELLATION_DELIBERATE) === undefined)
      expect(others.map(({ type, field, recorded, played: ours }) => ({ type, field, recorded, played: ours }))).toEqual([])
      expect(ends).toMatchObject(
        recording.startsWith('07')
          ? [{ code: 'DEVICE_DISCONNECTED', deviceId }]
          : [{ deviceId, result: recording.startsWith('03b') ? { rows: [1, 2, 3] } : 'R' }],
      )
    },
  )

  it('is refused as recorded when its device is not there', async () => {
    const { lines, deviceId, token, metadata } = constellationSide('04_constellation_unknown_target')
    const clock = new ManualClock()
    await using player = await ClientPlayer.listen(clock)
    const devices = [{ deviceId, server: player.url, apiKey: token }]
    const client = new ConstellationClient({ name: NAME, devices, metadata, maxRetries: 0, clock })
    const connected = client.connect(deviceId)
    connected.catch(() => {})
    const others = (await player.play(lines)).filter((found) => deliberately(found, CONSTELLATION_DELIBERATE) === undefined)
    expect(others).toEqual([])
    await expect(connected).rejects.toMatchObject({ code: 'NOT_CONNECTED', deviceId })
    await client.close()
  })
})
