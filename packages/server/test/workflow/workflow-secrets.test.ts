import { mkdtempSync, readFileSync, readdirSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LIMITS } from '@orrery/aip'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ManualClock } from '../../../../test/support/manual-clock.js'
import { DEVICE_KEY, startTestServer, type TestServer } from '../../../../test/support/test-server.js'
import { WireClient, type Json } from '../../../../test/support/wire-client.js'
import { answerDevice, runWorkflow } from '../support/answering-device.js'

const TOKEN = 'tok-"3f9 81c'
let folder: string
let file: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'orrery-secrets-'))
  file = join(folder, 'token')
  writeFileSync(file, `${TOKEN}\n`)
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true })
})

const start = (more: object = {}): Promise<TestServer> => startTestServer({ secrets: { TOKEN: { file } }, ...more })

/** Everything that a server shows of its sessions, and its log. */
async function shown(server: TestServer): Promise<string> {
  const { body } = await server.api('/api/sessions')
  const all = await Promise.all(
    (body['sessions'] as Json[]).map(async ({ session_id: id }) => [
      await server.api(`/api/sessions/${String(id)}`),
      await server.events(String(id)),
    ]),
  )
  return JSON.stringify([all, server.log.lines])
}

describe('a secret', () => {
  it('reaches the tool as it is; records, results and logs hide it, in whatever form it comes back', async () => {
    vi.stubEnv('ORRERY_SECRET_PIN', 'p1n-x&y')
    await using server = await start()
    const { calls } = await answerDevice(server, {
      post: ({ header }) => ({
        echo: header,
        [`key ${TOKEN}`]: 1,
        json: JSON.stringify({ header }),
        address: encodeURIComponent(TOKEN),
        base64: Buffer.from(TOKEN).toString('base64'),
      }),
      run_command: ({ env }) => ({ fail: `curl: ${(env as Json)['PIN'] as string} is wrong` }),
    })
    const text = `env: { AUTH: "Bearer \${{ secrets.token }}" }
steps:
  - { id: a, name: "Posts \${{ env.AUTH }}", tool: post, with: { header: "\${{ env.auth }}", list: [{ both: "\${{ secrets.TOKEN }}:\${{ secrets.Pin }}" }] } }
  - { id: b, run: "curl -u me:\${{ secrets.PIN }} x", env: { PIN: "\${{ secrets.PIN }}" }, continue-on-error: true }
  - { id: c, tool: post, with: { header: "\${{ steps.a.result.echo }}" } }
result: { a: "\${{ steps.a.result }}", b: "\${{ steps.b.error }}", env: "\${{ env.AUTH }}" }
`
    const session = await runWorkflow(server, text)
    expect(calls).toEqual([
      { tool: 'post', header: `Bearer ${TOKEN}`, list: [{ both: `${TOKEN}:p1n-x&y` }] },
      { tool: 'run_command', line: 'curl -u me:p1n-x&y x', env: { AUTH: `Bearer ${TOKEN}`, PIN: 'p1n-x&y' } },
      { tool: 'post', header: 'Bearer ***' },
    ])
    expect(session).toMatchObject({
      status: 'completed',
      result: {
        a: { echo: 'Bearer ***', 'key ***': 1, json: '{"header":"Bearer ***"}', address: '***', base64: '***' },
        b: 'curl: *** is wrong',
        env: 'Bearer ***',
      },
    })
    const all = await shown(server)
    for (const secret of [TOKEN, JSON.stringify(TOKEN).slice(1, -1), 'p1n-x&y', '3f9 81c']) expect(all).not.toContain(secret)
    expect(all).toContain('Posts Bearer ***')
  })

  it('is resolved again when a batch is sent again after a restart, and is nowhere in the files of the server', async () => {
    const dataDir = join(folder, 'data')
    const register = async (server: TestServer, token?: string): Promise<{ device: WireClient; token: string }> => {
      const device = await WireClient.connect(server.url, DEVICE_KEY)
      const aip = {
        version: 1,
        features: ['journal', 'resume', 'cancel'],
        ...(token === undefined ? {} : { resume_token: token }),
      }
      device.send({ type: 'register', client_id: 'd1', metadata: { platform: 'linux', aip } })
      const { result } = (await device.next()) as { result: { aip: { resume_token: string } } }
      return { device, token: result.aip.resume_token }
    }
    const text =
      'steps:\n  - { id: a, tool: post, with: { h: "x ${{ secrets.TOKEN }} y" } }\n  - { tool: post, with: { h: "${{ steps.a.result }}" } }\n'
    let id: string
    let token: string
    {
      const clock = new ManualClock()
      const server = await start({ dataDir, clock })
      const first = await register(server)
      token = first.token
      const { body } = await server.api('/api/sessions', { device_id: 'd1', workflow: text })
      id = String(body['session_id'])
      expect((await first.device.next())['actions']).toMatchObject([{ parameters: { h: `x ${TOKEN} y` } }])
      const stopped = server.server.stop()
      await vi.waitFor(() => expect(clock.waits).toContain(LIMITS.drainTime))
      await clock.advance(LIMITS.drainTime)
      await stopped
    }
    writeFileSync(file, 'the next token\n')
    {
      await using server = await start({ dataDir })
      const { device } = await register(server, token)
      const again = await device.next()
      expect(again['actions']).toMatchObject([{ parameters: { h: 'x the next token y' } }])
      device.answer(again, 'got the next token')
      let second = await device.next()
      while (second['type'] !== 'command') second = await device.next()
      expect(second['actions']).toMatchObject([{ parameters: { h: 'got ***' } }])
      device.answer(second, 'done')
      const events = await server.events(id)
      expect(events.at(-1)).toMatchObject({ type: 'ended', data: { status: 'completed' } })
      const all = await shown(server)
      for (const secret of ['the next token', '3f9 81c']) expect(all).not.toContain(secret)
    }
    for (const name of readdirSync(dataDir)) {
      if (name === 'workflows') continue
      const bytes = readFileSync(join(dataDir, name), 'latin1')
      for (const secret of ['the next token', '3f9 81c']) expect(bytes.includes(secret), name).toBe(false)
    }
  })

  it('is not put in where a device returns something like a place-holder', async () => {
    await using server = await start()
    const seen: unknown[] = []
    const { calls } = await answerDevice(server, {
      look: ({ h }) => {
        seen.push(h)
        return ['***', '${{ secrets.TOKEN }}', '\u2045secret:TOKEN\u2046', '\u200b***'].join(' ')
      },
      say: () => 'ok',
    })
    await runWorkflow(
      server,
      'steps:\n  - { id: a, tool: look, with: { h: "${{ secrets.TOKEN }}" } }\n  - { tool: say, with: { t: "${{ steps.a.result }}" } }',
    )
    expect(seen).toEqual([TOKEN])
    expect(calls[1]?.['t']).toBe('*** ${{ secrets.TOKEN }} \u2045secret:TOKEN\u2046 \u200b***')
  })

  it('cannot be looked into, because its value is put in only at the end', async () => {
    await using server = await start()
    const { calls } = await answerDevice(server, {})
    for (const [expression, reason] of [
      ["startsWith(secrets.TOKEN, 'tok')", 'startsWith() cannot look into a secret'],
      ['length(env.T)', 'length() cannot look into a secret'],
      ['toJSON(env)', 'toJSON() cannot look into a secret'],
      ["secrets.TOKEN == 'x'", 'a secret cannot be compared'],
    ] as const) {
      const text = `env: { T: "\${{ secrets.TOKEN }}" }\nsteps: [{ tool: t, with: { x: "\${{ ${expression} }}" } }]`
      expect(await runWorkflow(server, text)).toMatchObject({
        status: 'failed',
        error: expect.stringContaining(reason) as unknown,
      })
    }
    expect(calls).toEqual([])
    const { calls: made } = await answerDevice(server, {}, { client_id: 'd2' })
    const text = 'steps: [{ tool: t, with: { x: "${{ format(\'a{0}b\', secrets.TOKEN) }}" } }]'
    const { body } = await server.api('/api/sessions', { device_id: 'd2', workflow: text })
    await server.events(String(body['session_id']))
    expect(made).toEqual([{ tool: 't', x: `a${TOKEN}b` }])
  })

  it('that the server does not have is refused before anything runs', async () => {
    await using server = await start()
    await answerDevice(server, {})
    const text = 'steps: [{ tool: t, with: { x: "${{ secrets.Other }}" } }]'
    expect(await server.api('/api/sessions', { device_id: 'd1', workflow: text, file: 'my.yaml' })).toMatchObject({
      status: 400,
      body: {
        code: 'SECRET_NOT_FOUND',
        detail: expect.stringMatching(/my\.yaml uses the secret 'Other', .*\(it has: TOKEN\)/) as unknown,
      },
    })
  })

  it('that cannot be read fails its step, and nothing is sent', async () => {
    await using server = await start()
    const { calls } = await answerDevice(server, {})
    unlinkSync(file)
    const text = 'steps: [{ id: a, tool: t, with: { x: "${{ secrets.TOKEN }}" } }]'
    expect(await runWorkflow(server, text)).toMatchObject({
      status: 'failed',
      error: expect.stringMatching(/^step 'a' failed: .*The secret 'TOKEN' cannot be used: ENOENT/) as unknown,
    })
    writeFileSync(file, 'abc')
    expect((await runWorkflow(server, text))['error']).toContain('it must have at least 4 characters')
    expect(calls).toEqual([])
  })

  it('is hidden in progress and in what waits for approval', async () => {
    await using server = await start()
    const device = await WireClient.register(server.url, DEVICE_KEY, {
      client_id: 'd1',
      metadata: { platform: 'linux', aip: { version: 1, features: ['journal', 'resume', 'progress', 'ask'] } },
    })
    const text = 'steps: [{ id: a, tool: t, with: { x: "${{ secrets.TOKEN }}" } }]'
    const { body } = await server.api('/api/sessions', { device_id: 'd1', workflow: text })
    const session_id = String(body['session_id'])
    const command = await device.next()
    const [action] = command['actions'] as Json[]
    const followed: Json[] = []
    server.server.onSessionEvent((event) => followed.push({ ...event }))
    const about = { session_id, call_id: action?.['call_id'] }
    const expires_at = new Date(Date.now() + 60_000).toISOString()
    device.send({
      type: 'ask',
      ask_id: 'ask-1',
      tool: 't',
      arguments_hash: 'h',
      summary: `t {"x":"${TOKEN}"}`,
      expires_at,
      ...about,
    })
    device.send({ type: 'progress', progress: 1, total: 2, message: `with ${TOKEN}`, ...about })
    await vi.waitFor(async () =>
      expect((await server.api('/api/asks')).body['asks']).toMatchObject([{ summary: 't {"x":"***"}' }]),
    )
    device.answer(command, 'done')
    await server.events(session_id)
    const events = JSON.stringify(followed)
    expect(events).not.toContain(TOKEN)
    expect(events).not.toContain('3f9 81c')
    expect(events).toContain('with ***')
  })
})
