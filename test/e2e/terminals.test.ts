import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { LIMITS } from '@orrery/aip'
import { WebSocketTransport } from '@orrery/aip/node'
import { DeviceConfig, loadDeviceConfig, startDevice, type AuditEntry, type DeviceOptions } from '@orrery/device'
import type { ServerOptions } from '@orrery/server'
import { hasPrograms } from '../support/has-programs.js'
import { DEVICE_KEY, OPERATOR_KEY, startTestServer, type TestServer } from '../support/test-server.js'

const FULL = { shell: 'full' }

interface Setup extends AsyncDisposable {
  server: TestServer
  folder: string
  stopDevice(): Promise<void>
  open(opening?: object): Promise<Operator>
  audit(): AuditEntry[]
}

/** A server, and a device that is registered with it. */
async function setup(config: object, more: Partial<DeviceOptions> = {}, options: Partial<ServerOptions> = {}): Promise<Setup> {
  const server = await startTestServer(options)
  const folder = mkdtempSync(join(tmpdir(), 'orrery-terminals-'))
  const auditPath = join(folder, 'audit.jsonl')
  const device = startDevice({
    serverUrl: `${server.url.replace('http', 'ws')}/ws`,
    token: DEVICE_KEY,
    clientId: 'd1',
    config: DeviceConfig.parse(config),
    cwd: folder,
    auditPath,
    ...more,
  })
  await device.registered
  return {
    server,
    folder,
    stopDevice: () => device.stop(),
    open: (opening = {}) => Operator.open(server, 'd1', opening),
    audit: () =>
      readFileSync(auditPath, 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as AuditEntry),
    async [Symbol.asyncDispose]() {
      await device.stop()
      await server[Symbol.asyncDispose]()
      rmSync(folder, { recursive: true })
    },
  }
}

/** An operator in front of a terminal. */
class Operator {
  readonly transport: WebSocketTransport
  readonly reports: Record<string, unknown>[] = []
  shown = ''
  #changed = Promise.withResolvers<void>()

  private constructor(transport: WebSocketTransport) {
    this.transport = transport
    void transport.deliverTo((frame) => {
      if (typeof frame === 'string') this.reports.push(JSON.parse(frame) as Record<string, unknown>)
      else this.shown += Buffer.from(frame).toString()
      this.#changed.resolve()
      this.#changed = Promise.withResolvers()
    })
  }

  static async open({ url }: TestServer, device: string, opening: object, key = OPERATOR_KEY): Promise<Operator> {
    const address = `${url.replace('http', 'ws')}/api/devices/${device}/terminal`
    const transport = await WebSocketTransport.connect(address, { headers: { authorization: `Bearer ${key}` } })
    onTestFinished(() => transport.terminate())
    const operator = new Operator(transport)
    await transport.send(JSON.stringify({ type: 'open', columns: 91, rows: 33, ...opening }))
    return operator
  }

  type(text: string): Promise<void> {
    return this.transport.send(Buffer.from(text))
  }

  async saw(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = pattern.exec(this.shown)
      if (found !== null) return found
      await this.#changed.promise
    }
  }

  /** The report of this type, once it has come. */
  async reported(type: string): Promise<Record<string, unknown>> {
    for (;;) {
      const found = this.reports.find((report) => report['type'] === type)
      if (found !== undefined) return found
      if (this.transport.state === 'disconnected') throw new Error(`closed without ${type}: ${JSON.stringify(this.reports)}`)
      await Promise.race([this.#changed.promise, this.transport.closed])
    }
  }
}

const sh = (script: string): object => ({ program: 'sh', args: ['-c', script] })
const isAlive = (pid: number): boolean => existsSync(`/proc/${pid}`)

describe.skipIf(!hasPrograms('script', 'stty', 'tput'))('an interactive terminal on a device', () => {
  it('has the size of the window, follows it, and ends with the exit code', async () => {
    await using at = await setup(FULL)
    const operator = await at.open(sh('tput cols; trap "tput cols; exit 7" WINCH; echo ready; while :; do sleep 0.1; done'))
    await operator.saw(/91[\s\S]*ready/)
    await operator.transport.send(JSON.stringify({ type: 'resize', columns: 123, rows: 45 }))
    await operator.saw(/123/)
    expect(await operator.reported('ended')).toEqual({ type: 'ended', exit_code: 7, signal: null })
    expect((await operator.transport.closed).code).toBe(1000)
  })

  it('opens a shell in which Ctrl-C ends the program in front, and not the shell', async () => {
    await using at = await setup(FULL)
    const operator = await at.open({ program: 'bash', args: ['--norc', '--noprofile', '-i'], term: 'vt100' })
    await operator.type("sh -c 'echo $TERM-$((40 + 2)); exec sleep 100'\n")
    await operator.saw(/vt100-42/)
    await operator.type('\u0003')
    await operator.saw(/\^C[\s\S]*[$#] /)
    await operator.type('echo again-$((40 + 3)); exit 3\n')
    await operator.saw(/again-43/)
    expect(await operator.reported('ended')).toMatchObject({ exit_code: 3 })
  })

  it('is the shell of the user in the start folder, where no program is named', async () => {
    await using at = await setup(FULL)
    const operator = await at.open()
    await operator.type('pwd; exit 0\n')
    await operator.saw(new RegExp(`${at.folder}\\r`))
    expect(await operator.reported('ended')).toMatchObject({ exit_code: 0 })
  })

  it('shows all of a long output to one who reads slowly', async () => {
    await using at = await setup(FULL)
    const operator = await at.open(sh('seq 1 400000; printf the-end'))
    operator.transport.rest(300)
    await operator.reported('ended')
    expect(operator.shown.endsWith('400000\r\nthe-end')).toBe(true)
    expect(operator.shown.split('\r\n')).toHaveLength(400_001)
  })

  it('ends with all that was started in it when its operator goes', async () => {
    await using at = await setup(FULL)
    const operator = await at.open(sh('setsid sleep 1000 & echo pid=$!; trap "" HUP TERM; sleep 1001'))
    const pid = Number((await operator.saw(/pid=(\d+)\r/))[1])
    expect(isAlive(pid)).toBe(true)
    operator.transport.terminate()
    await expect.poll(() => isAlive(pid), { timeout: 30_000 }).toBe(false)
    await expect.poll(() => at.audit().map(({ outcome }) => outcome), { timeout: 30_000 }).toEqual(['started', 'failure'])
  })

  it('ends when its operator goes, however much was typed that the program does not read', async () => {
    await using at = await setup(FULL)
    const operator = await at.open(sh('stty raw; echo pid=$$; exec sleep 1000'))
    const pid = Number((await operator.saw(/pid=(\d+)\s/))[1])
    // More than all buffers on the way hold; what does not fit waits here.
    for (let sent = 0; sent < 60; sent += 1) operator.transport.send(Buffer.alloc(1024 * 1024, 'x')).catch(() => {})
    const commands = [{ tool_name: 'run_command', parameters: { program: 'echo', args: ['beside'] } }]
    expect(JSON.stringify((await at.server.api('/api/devices/d1/commands', { commands })).body)).toContain('beside')
    operator.transport.terminate()
    await expect.poll(() => isAlive(pid), { timeout: 50_000 }).toBe(false)
  })

  it('ends with its device', async () => {
    await using at = await setup(FULL)
    const operator = await at.open(sh('sleep 1000 & echo pid=$!; wait'))
    const pid = Number((await operator.saw(/pid=(\d+)\r/))[1])
    await at.stopDevice()
    // The process that adopts it takes a moment to notice.
    await expect.poll(() => isAlive(pid), { timeout: 30_000 }).toBe(false)
    await operator.transport.closed
  })

  it('is refused with the reason and the remedy where the shell is strict, unless a rule is about it', async () => {
    await using at = await setup({ shell: 'strict' })
    const operator = await at.open()
    const { code, detail } = await operator.reported('refused')
    expect(code).toBe('POLICY_DENIED')
    expect(detail).toMatch(/rule: shell\.terminal.*shell of this device is strict.*\{"tool":"terminal","do":"ask"\}/)
    await expect
      .poll(() => at.audit())
      .toMatchObject([{ tool: 'shell/terminal', rule: 'shell.terminal', decision: 'deny', requested_by: 'operator' }])
    await using allowed = await setup({ policy: [{ tool: 'terminal', do: 'allow' }] })
    const other = await allowed.open(sh('exit 5'))
    expect(await other.reported('ended')).toMatchObject({ exit_code: 5 })
  })

  it('is asked about where a rule may be about what is typed into it, with who asks and what that allows', async () => {
    const asked: string[] = []
    const approver: DeviceOptions['approver'] = (ask) => {
      asked.push(`${ask.requestedBy} ${ask.summary}`)
      return Promise.resolve(asked.length === 1 ? 'allow' : 'deny')
    }
    await using at = await setup({ ...FULL, policy: [{ argv: ['rm', '**'], do: 'deny' }] }, { approver })
    const first = await at.open({ program: 'bash' })
    await first.reported('waiting')
    await first.reported('started')
    await first.type('exit 4\n')
    expect(await first.reported('ended')).toMatchObject({ exit_code: 4 })
    expect(asked[0]).toMatch(/^operator terminal \{"program":"bash","args":\[\]\}\nRuns: "bash"\n[\s\S]*open shell/)
    const second = await at.open({ program: 'bash' })
    expect(await second.reported('refused')).toMatchObject({
      detail: expect.stringContaining('Denied at the terminal of') as unknown,
    })
    await expect
      .poll(() => at.audit().map(({ outcome, by, requested_by: who }) => `${outcome} ${by} ${who}`))
      .toEqual(['started terminal operator', 'success terminal operator', 'failure terminal operator'])
  })

  it('does not keep other work waiting', async () => {
    await using at = await setup(FULL)
    const operator = await at.open(sh('echo open; sleep 1000'))
    await operator.saw(/open/)
    const commands = [{ tool_name: 'run_command', parameters: { program: 'echo', args: ['beside'] } }]
    const { body } = await at.server.api('/api/devices/d1/commands', { commands })
    expect(JSON.stringify(body)).toContain('beside')
  })

  it('is one of a limited number', async () => {
    await using at = await setup(FULL)
    const open = await Promise.all(Array.from({ length: LIMITS.terminalsOfDevice }, () => at.open(sh('sleep 1000'))))
    await Promise.all(open.map((operator) => operator.reported('started')))
    const more = await at.open()
    expect(await more.reported('refused')).toMatchObject({ code: 'TOO_MANY_TERMINALS' })
    open[0]?.transport.terminate()
    await expect
      .poll(
        async () => {
          const again = await at.open(sh('exit 0'))
          return Promise.race([again.reported('ended'), again.reported('refused')])
        },
        { timeout: 30_000 },
      )
      .toMatchObject({ exit_code: 0 })
  })

  it('is refused with the reason for a device without terminals, an absent one, and a wrong first message', async () => {
    await using at = await setup({ ...FULL, tools: { shell: false } })
    expect(await (await at.open()).reported('refused')).toMatchObject({ code: 'TERMINAL_UNSUPPORTED' })
    expect(await (await Operator.open(at.server, 'nobody', {})).reported('refused')).toMatchObject({ code: 'DEVICE_NOT_FOUND' })
    expect(await (await at.open({ columns: 0 })).reported('refused')).toMatchObject({ code: 'INVALID_INPUT' })
    const { status, body } = await at.server.api('/api/devices/d1/terminal')
    expect([status, body['code']]).toEqual([426, 'UPGRADE_REQUIRED'])
  })

  it('is refused once the owner has switched commands off, also without a new registration', async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'orrery-config-')), 'device.jsonc')
    onTestFinished(() => rmSync(dirname(path), { recursive: true }))
    writeFileSync(path, JSON.stringify(FULL))
    const taken = Promise.withResolvers<void>()
    const more: Partial<DeviceOptions> = {
      configFile: { path, load: () => loadDeviceConfig(path) },
      onEvent: ({ type }) => type === 'configured' && taken.resolve(),
    }
    await using at = await setup(FULL, more)
    writeFileSync(path, JSON.stringify({ ...FULL, tools: { shell: false } }))
    await taken.promise
    expect(await (await at.open()).reported('refused')).toMatchObject({ code: 'NOT_SUPPORTED' })
  })

  it('is not for a device key', async () => {
    await using at = await setup(FULL)
    for (const key of [DEVICE_KEY, 'wrong'])
      await expect(Operator.open(at.server, 'd1', {}, key)).rejects.toMatchObject({ code: 'UNAUTHORIZED' })
  })

  it('says where a program cannot be started', async () => {
    await using at = await setup(FULL)
    const operator = await at.open({ program: 'no-such-program' })
    expect(await operator.reported('ended')).toMatchObject({ exit_code: 127 })
    expect(operator.shown).toContain('no-such-program: not found')
    writeFileSync(join(at.folder, 'file'), '')
    const other = await at.open({ cwd: 'file' })
    expect(await other.reported('refused')).toMatchObject({ code: 'PATH_KIND' })
  })
})
