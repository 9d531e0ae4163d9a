import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { scriptedAgent } from '../../../test/support/scripted-agent.js'
import { DEVICE_KEY, OPERATOR_KEY, startTestServer, type TestServer } from '../../../test/support/test-server.js'
import { WireClient, type Json } from '../../../test/support/wire-client.js'

/** Registers; a device with the feature resume gets a token. @returns the answer, and the token in it */
async function register(
  url: string,
  { resumes = true, token, type = 'device', id = 'lab' }: { resumes?: boolean; token?: string; type?: string; id?: string } = {},
): Promise<{ client: WireClient; answer: Json; token: string | undefined }> {
  const client = await WireClient.connect(url, type === 'device' ? DEVICE_KEY : OPERATOR_KEY)
  const aip = { version: 1, features: ['journal', 'resume'], ...(token === undefined ? {} : { resume_token: token }) }
  client.send({
    type: 'register',
    client_type: type,
    client_id: id,
    metadata: { platform: 'linux', ...(resumes ? { aip } : {}) },
  })
  const answer = await client.next()
  const result = answer['result'] as { aip?: { resume_token?: string } } | null
  return { client, answer, token: result?.aip?.resume_token }
}

async function offline(server: TestServer, client: WireClient): Promise<void> {
  client.terminate()
  for (;;) {
    const { body } = await server.api('/api/clients')
    if ((body['online_clients'] as string[]).length === 0) return
  }
}

const forget = (server: TestServer, id: string): Promise<Response> =>
  fetch(`${server.url}/api/devices/${id}`, { method: 'DELETE', headers: { 'x-api-key': OPERATOR_KEY } })

describe('the id of a device that has a resume token', () => {
  it.each([
    ['a device with another token', { token: 'stolen' }],
    ['a device with none', {}],
    ['an existing peer', { resumes: false }],
  ])('is refused to %s, online or not, before and after a restart [TOKEN_REQUIRED]', async (_who, intruder) => {
    const dataDir = mkdtempSync(join(tmpdir(), 'orrery-ids-'))
    try {
      let token: string | undefined
      {
        await using server = await startTestServer({ dataDir })
        const first = await register(server.url)
        ;({ token } = first)
        const refused = await register(server.url, intruder)
        expect(refused.answer).toMatchObject({
          status: 'error',
          error: expect.stringContaining('orrery devices forget lab') as string,
        })
        expect(await refused.client.nextClose()).toMatchObject({ code: 1008 })
        await offline(server, first.client)
        expect((await register(server.url, intruder)).answer).toMatchObject({ status: 'error' })
      }
      await using server = await startTestServer({ dataDir, takeover: 'replace' })
      expect((await register(server.url, intruder)).answer).toMatchObject({ status: 'error' })
      expect((await register(server.url, token === undefined ? {} : { token })).answer).toMatchObject({ status: 'ok' })
    } finally {
      rmSync(dataDir, { recursive: true })
    }
  })

  it('is not taken from it by a constellation of the same name', async () => {
    await using server = await startTestServer()
    const device = await register(server.url)
    await offline(server, device.client)
    const constellation = await register(server.url, { type: 'constellation' })
    expect(constellation.answer).toMatchObject({ status: 'ok' })
    await offline(server, constellation.client)
    expect((await register(server.url, { token: device.token ?? '' })).answer).toMatchObject({ status: 'ok' })
    expect((await register(server.url, { id: 'other' })).answer).toMatchObject({ status: 'ok' })
  })

  it('is free again once the device is forgotten, which ends its sessions and its connection', async () => {
    await using server = await startTestServer({ agents: [scriptedAgent] })
    const first = await register(server.url)
    const { body } = await server.api('/api/sessions', { device_id: 'lab', request: 'run one' })
    await first.client.next()
    expect(await (await forget(server, 'lab')).json()).toEqual({ device_id: 'lab', forgotten: true })
    for (;;) {
      const frame = await first.client.nextWithin(5000)
      if (frame !== null && 'close' in frame) {
        expect(frame.close).toMatchObject({ code: 1008, reason: 'the device was forgotten' })
        break
      }
    }
    expect((await server.events(String(body['session_id']))).at(-1)).toMatchObject({ data: { status: 'failed' } })
    expect((await server.api('/api/devices')).body['devices']).toEqual([])
    const second = await register(server.url)
    expect(second.answer).toMatchObject({ status: 'ok', result: { aip: { session_id: null } } })
    expect((await register(server.url, { token: first.token ?? '' })).answer).toMatchObject({ status: 'error' })
    await offline(server, second.client)
    expect((await forget(server, 'lab')).status).toBe(200)
    expect((await forget(server, 'lab')).status).toBe(404)
  })

  it('stays free for a device whose first confirmation could not be sent, and for one without the feature', async () => {
    await using server = await startTestServer()
    const plain = await register(server.url, { resumes: false })
    await offline(server, plain.client)
    expect((await register(server.url)).answer).toMatchObject({ status: 'ok' })
  })
})
