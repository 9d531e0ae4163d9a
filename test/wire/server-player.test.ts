import { describe, expect, it } from 'vitest'
import { startTestServer } from '../support/test-server.js'
import type { Json } from '../support/wire-client.js'
import { SERVER_DELIBERATE, deliberately } from './deliberate.js'
import { asObject, readRecording, type Line } from './recording.js'
import { ServerPlayer } from './server-player.js'

const KEY = 'secret-key'

/** What a player finds between the server and a conversation, without what is deliberate. */
async function findings(lines: readonly Line[]): Promise<string[]> {
  await using server = await startTestServer({ operatorKey: KEY })
  const differences = await new ServerPlayer(server.url, KEY).play(lines)
  return differences.filter((found) => deliberately(found, SERVER_DELIBERATE) === undefined).map(({ field }) => field)
}

/** The recording of a device that registers, sends a heartbeat and leaves, with the server's messages changed. */
function changed(change: (message: Json) => Json): Line[] {
  return readRecording('01_register_heartbeat_disconnect').map((line) => {
    const isAnswer = line.ev === 'msg' && line.dir === 's2c'
    return isAnswer ? Object.assign(line, { raw: JSON.stringify(change(asObject(line.raw))) }) : line
  })
}

describe('a played recording', () => {
  it.each<[string, (message: Json) => Json, string]>([
    ['another status', (message) => ({ ...message, status: 'failed' }), 'status'],
    ['a field that is null', (message) => ({ ...message, session_id: 's' }), 'session_id'],
    ['a field that is set', (message) => ({ ...message, response_id: null }), 'response_id'],
    ['one field more', (message) => ({ ...message, more: null }), '(fields)'],
    ['another order of fields', ({ type, ...message }) => ({ ...message, type }), '(fields)'],
    ['an id that comes twice', (message) => ({ ...message, response_id: '00000000-0000-4000-8000-000000000000' }), 'response_id'],
    ['another type', (message) => ({ ...message, type: 'command' }), 'type'],
  ])('shows %s', async (_case, change, field) => {
    expect(await findings(changed((message) => message))).toEqual([])
    expect(await findings(changed(change))).toContain(field)
  })

  it('shows another close code', async () => {
    const lines = readRecording('04_constellation_unknown_target')
    expect(await findings(lines)).toEqual([])
    const closed = lines.map((line) => (line.ev === 'close' ? Object.assign(line, { code: 1011 }) : line))
    expect(await findings(closed)).toEqual(['close'])
  })

  it('of a constellation that sends the heartbeat of a device shows that it is answered', async () => {
    const [open, request, response] = readRecording('04_constellation_unknown_target')
    const say = (dir: Line['dir'], message: Json): Line => ({
      conn: 1,
      dir,
      ev: 'msg',
      opcode: 'text',
      raw: JSON.stringify(message),
    })
    const [, , , registration, confirmation] = readRecording('01_register_heartbeat_disconnect')
    const refusal = { ...asObject(confirmation?.raw), type: 'error', status: 'error', error: 'client_type does not match' }
    const lines = [open, request, response].flatMap((line) => (line === undefined ? [] : [{ ...line, conn: 1 }]))
    lines.push(
      say('c2s', { ...asObject(registration?.raw), client_type: 'constellation', client_id: 'demo@py1', metadata: null }),
      say('s2c', asObject(confirmation?.raw)),
      say('c2s', {
        ...asObject(registration?.raw),
        type: 'heartbeat',
        client_type: 'device',
        client_id: 'demo@py1',
        metadata: null,
      }),
      say('s2c', { ...refusal, response_id: crypto.randomUUID() }),
    )
    await using server = await startTestServer({ operatorKey: KEY })
    const differences = await new ServerPlayer(server.url, KEY).play(lines)
    expect(differences.map(({ field, played }) => [field, played])).toEqual([
      ['type', 'heartbeat'],
      ['status', 'ok'],
      ['error', null],
    ])
    expect(differences.map((found) => deliberately(found, SERVER_DELIBERATE)?.by)).toEqual(['C-22', 'C-22', 'C-22'])
  })
})
