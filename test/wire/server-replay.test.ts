import { describe, expect, it } from 'vitest'
import { OPERATOR_KEY, startTestServer } from '../support/test-server.js'
import { readRecording, replayAgainstServer, type Shape } from './replay.js'

/**
 * Where Orrery answers otherwise on purpose: the registration's client id of the connection → the contradiction that decides.
 * Both are read tolerantly: C-01 a type in upper case, C-06 a missing status.
 */
const DELIBERATE: Record<string, string> = { d6_wrong_case_type_dknb: 'C-01', d6_missing_status_dknb: 'C-06' }

describe('the server, to a bare client that plays a recording', () => {
  it.each([
    '01_register_heartbeat_disconnect',
    '04_constellation_unknown_target',
    '05_duplicate_client_id',
    '06b_mid_connection_cases',
  ])('answers %s as the recorded server did', async (name) => {
    await using server = await startTestServer()
    const lines = readRecording(name)
    const { recorded, played } = await replayAgainstServer(server.url, OPERATOR_KEY, lines)
    expect(recorded.length).toBeGreaterThan(1)
    const onPurpose = new Set(
      lines.filter((line) => Object.keys(DELIBERATE).some((id) => line.raw?.includes(id))).map((line) => line.conn),
    )
    for (const [index, shape] of recorded.entries()) {
      const other = played[index]
      if (typeof shape !== 'string' && onPurpose.has(shape.conn) && shape.status === 'error') {
        expect((other as Shape).status, 'read tolerantly').toBe('ok')
      } else expect(other).toEqual(shape)
    }
  })
})
