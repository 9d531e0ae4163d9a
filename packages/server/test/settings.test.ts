import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, get } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { WebSocket } from 'ws'
import { ManualClock } from '../../../test/support/manual-clock.js'
import { scriptedAgent } from '../../../test/support/scripted-agent.js'
import { DEVICE_KEY, OPERATOR_KEY, startTestServer } from '../../../test/support/test-server.js'
import { WireClient, type Json } from '../../../test/support/wire-client.js'
import { loadServerConfig } from '../src/config/server-config.js'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'orrery-settings-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

/** What a registration is answered with. */
async function tryRegister(url: string, fields: Json): Promise<Json> {
  const client = await WireClient.connect(url, DEVICE_KEY)
  client.send({ type: 'register', ...fields })
  return client.next()
}

describe('who may register', () => {
  it('is bounded in number, and there is room again when one leaves [S-032]', async () => {
    await using server = await startTestServer({ maxClients: 1 })
    const first = await WireClient.register(server.url, DEVICE_KEY, { client_id: 'd1' })
    expect((await tryRegister(server.url, { client_id: 'd2' }))['error']).toMatch(/^Server capacity limit reached: at most 1/)
    first.close()
    await first.nextClose()
    await vi.waitFor(async () => expect((await tryRegister(server.url, { client_id: 'd2' }))['status']).toBe('ok'))
  })

  it('has a platform that is known, or one of those in the settings [S-034]', async () => {
    await using server = await startTestServer()
    expect(await tryRegister(server.url, { client_id: 'd', metadata: { platform: 'amiga' } })).toMatchObject({
      type: 'error',
      error: expect.stringMatching(/^Invalid platform 'amiga': must be one of windows, linux, /) as unknown,
    })
    await using strict = await startTestServer({ platforms: ['linux'] })
    expect((await tryRegister(strict.url, { client_id: 'd', metadata: { platform: 'windows' } }))['status']).toBe('error')
    expect((await tryRegister(strict.url, { client_id: 'd', metadata: { platform: 'linux' } }))['status']).toBe('ok')
  })

  it('has an id that matches the pattern of the settings as a whole [S-278]', async () => {
    await using server = await startTestServer({ clientIdPattern: /lab-\d+/ })
    for (const [id, status] of [
      ['lab-7', 'ok'],
      ['xlab-7', 'error'],
      ['lab-7x', 'error'],
    ] as const) {
      expect((await tryRegister(server.url, { client_id: id }))['status'], id).toBe(status)
    }
  })
})

describe('a second registration of an id', () => {
  it('replaces the first where the settings say so; its sessions end [S-204]', async () => {
    await using server = await startTestServer({ takeover: 'replace', agents: [scriptedAgent] })
    const first = await WireClient.register(server.url, DEVICE_KEY, { client_id: 'd1' })
    const { body } = await server.api('/api/sessions', { device_id: 'd1', request: 'run slow' })
    await first.next()
    const second = await WireClient.register(server.url, DEVICE_KEY, { client_id: 'd1' })
    expect(await first.nextClose()).toEqual({ code: 1000, reason: 'replaced by a new connection' })
    expect((await server.api(`/api/sessions/${String(body['session_id'])}`)).body).toMatchObject({ status: 'failed' })
    second.send({ type: 'heartbeat' })
    expect(await second.next()).toMatchObject({ type: 'heartbeat' })
    expect((await server.api('/api/clients')).body).toEqual({ online_clients: ['d1'] })
  })
})

describe('a client that is silent', () => {
  it('is dropped after the time of the settings, and one that beats is not [S-231 S-232]', async () => {
    const clock = new ManualClock()
    await using server = await startTestServer({ clock, heartbeatTimeoutMs: 90_000 })
    const silent = await WireClient.register(server.url, DEVICE_KEY, { client_id: 'silent' })
    const lively = await WireClient.register(server.url, DEVICE_KEY, { client_id: 'lively' })
    for (let beat = 0; beat < 2; beat += 1) {
      await clock.advance(40_000)
      lively.send({ type: 'heartbeat' })
      await lively.next()
    }
    await clock.advance(20_000)
    expect((await silent.nextClose()).code).toBe(1006)
    lively.send({ type: 'heartbeat' })
    expect(await lively.next()).toMatchObject({ type: 'heartbeat' })
    expect(server.log.lines).toContain('warn [WS] silent was silent for 90 s')
  })

  it('stays where there is no such setting', async () => {
    const clock = new ManualClock()
    await using server = await startTestServer({ clock })
    const client = await WireClient.register(server.url, DEVICE_KEY, { client_id: 'd1' })
    // In steps that the connection's pings survive.
    for (let minute = 0; minute < 60; minute += 1) await clock.advance(15_000)
    client.send({ type: 'heartbeat' })
    expect(await client.next()).toMatchObject({ type: 'heartbeat' })
  })
})

describe('the agent name of workflows', () => {
  const workflow = (head: string, step = ''): string => `name: demo\ndescription: A test\n${head}steps:\n  - tool: look\n${step}`

  it.each([
    ['that of the device without a setting', {}, workflow(''), 'LinuxAgent'],
    ['that of the setting', { workflowAgent: 'FollowerAgent' }, workflow(''), 'FollowerAgent'],
    ['that of the workflow', {}, workflow('agent: FollowerAgent\n'), 'FollowerAgent'],
    ['that of the step', { workflowAgent: 'A' }, workflow('agent: B\n', '    agent: FollowerAgent\n'), 'FollowerAgent'],
  ])('is %s [S-158]', async (_case, options, source, agentName) => {
    await using server = await startTestServer(options)
    const device = await WireClient.register(server.url, DEVICE_KEY, { client_id: 'd1' })
    await server.api('/api/sessions', { device_id: 'd1', workflow: source })
    expect(await device.next()).toMatchObject({ type: 'command', agent_name: agentName })
  })
})

describe('the dialect', () => {
  it('of the documents assigns a task of a constellation to its device, which starts it itself [S-209]', async () => {
    await using server = await startTestServer({ dialect: 'documented', agents: [scriptedAgent] })
    const register = async (key: string, fields: Json): Promise<WireClient> => {
      const client = await WireClient.connect(server.url, key)
      client.send({ type: 'REGISTER', ...fields })
      expect(await client.next()).toMatchObject({ type: 'REGISTER_CONFIRM', status: 'success' })
      return client
    }
    const device = await register(DEVICE_KEY, { client_id: 'd1', platform: 'linux' })
    const role = { client_type: 'CONSTELLATION' }
    const constellation = await register(OPERATOR_KEY, { client_id: 'c1', ...role })
    constellation.send({ type: 'TASK', ...role, target_id: 'd1', request: 'run one', session_id: 's1', task_name: 'notes' })
    expect(await constellation.next()).toMatchObject({ type: 'ACK', session_id: 's1' })
    expect(await device.next()).toMatchObject({ type: 'TASK_ASSIGNMENT', user_request: 'run one', task_name: 'notes' })
    device.send({ type: 'TASK', request: 'run one', task_name: 'notes' })
    expect(await device.next()).toMatchObject({ type: 'ACK', session_id: 's1' })
    const command = await device.next()
    expect(command).toMatchObject({ type: 'COMMAND', session_id: 's1' })
    device.answer(command, 'done')
    expect(await constellation.next()).toMatchObject({ type: 'TASK_END', session_id: 's1', status: 'completed' })
  })

  it('is fixed by the settings whatever a client writes', async () => {
    await using documented = await startTestServer({ dialect: 'documented' })
    expect(await tryRegister(documented.url, { client_id: 'd' })).toMatchObject({ type: 'REGISTER_CONFIRM', status: 'success' })
    await using wire = await startTestServer({ dialect: 'wire' })
    expect(await tryRegister(wire.url, { client_id: 'd', type: 'REGISTER' })).toMatchObject({ type: 'heartbeat', status: 'ok' })
  })
})

describe('what the server says of its devices', () => {
  it('is merged into what they tell, and arguments of tools are added but never recorded', async () => {
    const file = join(folder, 'devices.yaml')
    writeFileSync(
      file,
      `devices:
  lab:
    owner: ada
    tags: [gpu]
    additional_features: [cli, arm]
    tool_arguments: { execute_command: { api_key: secret-of-the-tool } }
`,
    )
    await using server = await startTestServer({ devicesFile: file })
    const info = {
      device_id: 'lab',
      platform: 'linux',
      supported_features: ['cli'],
      custom_metadata: { owner: 'nobody', rack: 4 },
    }
    const device = await WireClient.register(server.url, DEVICE_KEY, {
      client_id: 'lab',
      metadata: { platform: 'linux', system_info: info },
    })
    const told = (await server.api('/api/devices/lab')).body['system_info']
    expect(told).toEqual({
      ...info,
      supported_features: ['cli', 'arm'],
      tags: ['gpu'],
      custom_metadata: { owner: 'ada', rack: 4, tags: ['gpu'], additional_features: ['cli', 'arm'] },
    })
    const answer = server.api('/api/devices/lab/commands', {
      commands: [{ tool_name: 'execute_command', parameters: { command: 'ls' } }, { tool_name: 'other' }],
    })
    const command = await device.next()
    expect(command['actions']).toMatchObject([
      { parameters: { command: 'ls', api_key: 'secret-of-the-tool' } },
      { parameters: {} },
    ])
    device.answer(command)
    const { body } = await answer
    const everything = JSON.stringify([await server.events(String(body['session_id'])), server.log.lines, told])
    expect(everything).not.toContain('secret-of-the-tool')
  })

  it('is refused with the place of a mistake', async () => {
    const file = join(folder, 'broken.yaml')
    writeFileSync(file, 'devices:\n  lab:\n    tags: gpu\n')
    await expect(startTestServer({ devicesFile: file })).rejects.toThrow(/^broken\.yaml:3:11: devices\.lab\.tags: /)
  })
})

describe('TLS', () => {
  const pem = (name: string): string => readFileSync(join(folder, name), 'utf8')
  beforeAll(() => {
    const openssl = (...args: string[]): void => void execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' })
    const san = 'subjectAltName=IP:127.0.0.1'
    openssl(
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-days',
      '2',
      '-subj',
      '/CN=ca',
      '-keyout',
      'ca.key',
      '-out',
      'ca.pem',
    )
    openssl(
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-days',
      '2',
      '-subj',
      '/CN=server',
      '-addext',
      san,
      '-keyout',
      'server.key',
      '-out',
      'server.pem',
    )
    openssl(
      'req',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-subj',
      '/CN=client',
      '-keyout',
      'client.key',
      '-out',
      'client.csr',
    )
    openssl(
      'x509',
      '-req',
      '-in',
      'client.csr',
      '-CA',
      'ca.pem',
      '-CAkey',
      'ca.key',
      '-CAcreateserial',
      '-days',
      '2',
      '-out',
      'client.pem',
    )
  })

  /** The first answer to a registration over wss, or the error of the connection. */
  function registerOverTls(url: string, options: Json): Promise<Json> {
    const socket = new WebSocket(`${url.replace('https', 'wss')}/ws?token=${DEVICE_KEY}`, { ca: pem('server.pem'), ...options })
    return new Promise((resolve) => {
      socket.on('error', (error) => resolve({ refused: error.message }))
      socket.on('open', () => socket.send(JSON.stringify({ type: 'register', status: 'ok', client_id: 'd' })))
      socket.on('message', (data: Buffer) => {
        resolve(JSON.parse(data.toString()) as Json)
        socket.close()
      })
    })
  }

  it('serves wss and https with a certificate [S-006]', async () => {
    await using server = await startTestServer({ tls: { cert: pem('server.pem'), key: pem('server.key') } })
    expect(server.url).toMatch(/^https:\/\/127/)
    expect(await registerOverTls(server.url, {})).toMatchObject({ type: 'heartbeat', status: 'ok' })
    expect(await registerOverTls(server.url, { ca: undefined })).toHaveProperty('refused')
    const agent = new Agent({ ca: pem('server.pem') })
    const status = await new Promise((resolve) => {
      get(`${server.url}/api/clients`, { agent, headers: { 'x-api-key': OPERATOR_KEY } }, (response) => {
        response.resume()
        resolve(response.statusCode)
      })
    })
    expect(status).toBe(200)
    agent.destroy()
  })

  it('asks for a certificate of its authority where the settings say so [S-277]', async () => {
    await using server = await startTestServer({
      tls: { cert: pem('server.pem'), key: pem('server.key'), clientCa: pem('ca.pem') },
    })
    expect(await registerOverTls(server.url, {})).toHaveProperty('refused')
    expect(await registerOverTls(server.url, { cert: pem('client.pem'), key: pem('client.key') })).toMatchObject({ status: 'ok' })
  })
})

describe('the configuration file of a server', () => {
  it('is YAML or JSON, and its paths are relative to it', () => {
    const file = join(folder, 'server.yaml')
    writeFileSync(file, 'port: 6000\ntakeover: replace\ndevices_file: devices.yaml\ntls: { cert: a.pem, key: b.pem }\n')
    expect(loadServerConfig(file)).toEqual({
      port: 6000,
      takeover: 'replace',
      devices_file: join(folder, 'devices.yaml'),
      tls: { cert: join(folder, 'a.pem'), key: join(folder, 'b.pem') },
    })
    writeFileSync(file, '{"port": 6000}')
    expect(loadServerConfig(file)).toEqual({ port: 6000 })
  })

  it.each([
    ['port: many', /^server\.yaml:1:7: port: /],
    ['prot: 5000', "server.yaml:1:1: unknown key 'prot'"],
    ['client_id_pattern: "("', /^server\.yaml:1:20: client_id_pattern: is not a regular expression/],
    ['tls: { cert: x }', /^server\.yaml:1:6: tls\.key: /],
    ['a: [', /^server\.yaml:1:\d+: /],
  ])('with the mistake %j gives its place', (text, expected) => {
    const file = join(folder, 'server.yaml')
    writeFileSync(file, text)
    expect(() => loadServerConfig(file)).toThrow(expected)
  })
})
