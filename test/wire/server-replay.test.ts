import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { planAgent } from '../support/plan-agent.js'
import { startTestServer } from '../support/test-server.js'
import { WireClient } from '../support/wire-client.js'
import { SERVER_DELIBERATE, deliberately, type Deliberate } from './deliberate.js'
import { asObject, readRecording, recordingNames, type Line } from './recording.js'
import { ServerPlayer } from './server-player.js'

const RECORDED_KEY = 'secret-key'

let folder: string
/** The recorded server added this argument to the calls of Linux devices; Orrery has a setting for that. */
let devicesFile: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'orrery-wire-'))
  devicesFile = join(folder, 'devices.json')
  const device = { tool_arguments: { execute_command: { api_key: 'rig-mcp-key' } } }
  const ids = new Set(
    recordingNames().flatMap((name) =>
      readRecording(name).flatMap(({ raw = '' }) => /"client_id":"([^"]+)"/.exec(raw)?.[1] ?? []),
    ),
  )
  writeFileSync(devicesFile, JSON.stringify({ devices: Object.fromEntries([...ids].map((id) => [id, device])) }))
})
afterAll(() => rmSync(folder, { recursive: true }))

/** Clients that were online while a conversation was recorded, but are not part of it. */
function bystanders(lines: readonly Line[]): string[] {
  const listed = lines.flatMap(({ body }) => (asObject(body)['online_clients'] as string[] | undefined) ?? [])
  const own = new Set(lines.map(({ raw }) => asObject(raw)['client_id']))
  return [...new Set(listed)].filter((id) => !own.has(id))
}

const seen = new Set<Deliberate>()

describe('the server, to clients that play a recording', () => {
  it.each(recordingNames())('does in %s what was recorded, or what the list of differences says', async (name) => {
    await using server = await startTestServer({ operatorKey: RECORDED_KEY, agents: [planAgent], devicesFile })
    const lines = readRecording(name)
    for (const id of bystanders(lines)) await WireClient.register(server.url, RECORDED_KEY, { client_id: id })
    const differences = await new ServerPlayer(server.url, RECORDED_KEY).play(lines)
    expect(lines.some(({ dir, ev }) => dir === 's2c' && (ev === 'msg' || ev === 'http_response'))).toBe(true)
    const others = differences.filter((difference) => {
      const kind = deliberately(difference, SERVER_DELIBERATE)
      if (kind !== undefined) seen.add(kind)
      return kind === undefined
    })
    expect(others).toEqual([])
  })

  it('differs in nothing that the list names in vain', () => {
    // C-22 is in none of these recordings; the test of the player has it.
    expect(SERVER_DELIBERATE.filter((kind) => !seen.has(kind)).map(({ by }) => by)).toEqual(['C-22'])
  })
})
