import { createServer } from 'node:net'
import { mkdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { commandsIn } from '../support/commands-in.js'
import { OrreryHome, type Ended, type OrreryProcess } from '../support/orrery-process.js'

/** One line on stderr that begins with the program's name. */
function expectOneLine({ stderr }: Ended, text: string | RegExp): void {
  expect(stderr).toMatch(/^orrery: .*\n$/)
  expect(stderr).toMatch(text)
}

describe('with a server and a device that `orrery up` started, no flag is needed', () => {
  let home: OrreryHome
  let up: OrreryProcess
  beforeAll(async () => {
    home = new OrreryHome()
    up = await home.up()
  })
  afterAll(() => home[Symbol.asyncDispose]())

  it('says what to try, and how another machine joins', async () => {
    expect((await up.said(/Ctrl-C/)).input).toMatch(
      /orrery devices[\s\S]*orrery exec -- [\s\S]*Only this machine can reach the server[\s\S]*orrery up --host 0\.0\.0\.0/,
    )
  })

  it('lists devices', async () => {
    const { code, stdout } = await home.run('devices')
    expect(code).toBe(0)
    expect(stdout).toMatch(/^DEVICE +STATUS +PLATFORM/)
    expect(stdout).toMatch(/online/)
  })

  it('lists tools, as a table and as JSON', async () => {
    expect((await home.run('tools')).stdout).toMatch(/execute_command +command/)
    const { tools } = JSON.parse((await home.run('tools', '--json')).stdout) as { tools: { tool_key: string }[] }
    expect(tools.map((tool) => tool.tool_key)).toEqual(
      expect.arrayContaining(['action::execute_command', 'action::get_system_info', 'action::run_shell']),
    )
  })

  it('calls a tool and prints its result', async () => {
    const words = ['call', 'action::execute_command', '{"command": "echo hello world"}']
    expect(await home.run(...words)).toEqual({ code: 0, stdout: 'hello world\n', stderr: '' })
    expect(JSON.parse((await home.run(...words, '--json')).stdout)).toMatchObject({
      results: [{ result: { success: true, exit_code: 0, stdout: 'hello world\n' } }],
    })
    const failed = await home.run('call', 'execute_command', '{"command": "ls /nonexistent"}')
    expect(failed).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(/nonexistent[\s\S]*exit code 2\n$/) as unknown,
    })
  })

  it('shows what ran, and what decided about it', async () => {
    expect((await home.run('call', 'execute_command', '{"command": "id -u"}')).code).toBe(0)
    const last = async (): Promise<unknown> => JSON.parse((await home.run('audit', '--json', '--limit', '1')).stdout || 'null')
    // The entry is in the file a moment after the result.
    await expect.poll(last, { timeout: 30_000 }).toMatchObject({ tool: expect.stringContaining('execute_command') as unknown })
    expect((await home.run('audit', '--limit', '1')).stdout).toMatch(/^TIME \(UTC\).*\n.*execute_command +allow/)
    expect(await home.run('audit', '--device', 'none')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/No device 'none' has run on this machine; there are: /) as unknown,
    })
  })

  it('fails with the error of a tool, or with the rule that refuses it', async () => {
    const refused = await home.run('call', 'execute_command', '{"command": "rm -rf /"}')
    expect(refused.code).toBe(125)
    expect(refused.stderr).toMatch(/^Denied by the device's policy \(rule: shell\.allow-list\): 'rm'.*\n$/)
    const unknown = await home.run('call', 'no_such_tool')
    expect(unknown.code).toBe(1)
    expect(unknown.stderr).toMatch(/no_such_tool.*not registered/)
  })

  it('runs a bundled workflow and shows each command', async () => {
    const { code, stdout, stderr } = await home.run('run', 'workflow:system-report')
    expect(code).toBe(0)
    expect(stdout).toMatch(/^Device: .*\nSystem: /)
    expect(stderr).toMatch(/✓ success {2}.*get_system_info/)
    expect(stderr).toMatch(/Completed in /)
  })

  it.each([
    ['disk-cleanup', { path: '.' }, 'large_files'],
    ['service-health', { names: ['node', 'no-such-program'] }, 'exit_codes'],
    ['test-run', { command: 'echo all tests passed' }, 'output'],
  ])('runs the bundled workflow %s', async (name, inputs, key) => {
    const { code, stdout, stderr } = await home.run('run', `workflow:${name} ${JSON.stringify(inputs)}`)
    expect(code, stderr).toBe(0)
    expect(stdout).toContain(key)
  })

  it('runs a workflow file, and tells the place of a mistake', async () => {
    const file = join(home.path, 'mine.yaml')
    writeFileSync(
      file,
      'name: mine\ndescription: x\ninputs: { word: { type: string } }\nsteps:\n  - { id: e, tool: execute_command, with: { command: "echo ${{ inputs.word }}" } }\nresult: ${{ steps.e.result.stdout }}\n',
    )
    expect(await home.run('run', '--workflow', file, '{"word": "hi"}')).toMatchObject({ code: 0, stdout: 'hi\n' })
    writeFileSync(file, 'name: mine\ndescription: x\nsteps:\n  - tool: execute_command\n    whith: {}\n')
    const wrong = await home.run('run', '--workflow', file)
    expect(wrong.code).toBe(2)
    expectOneLine(wrong, "mine.yaml:5:5: unknown key 'whith'")
  })

  it('prints one event a line with --json', async () => {
    const { stdout } = await home.run('run', 'workflow:system-report', '--json')
    const types = stdout
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { type: string }).type)
    expect(types.at(0)).toBe('accepted')
    expect(types.at(-1)).toBe('ended')
    expect(types).toContain('results_received')
  })

  it('says what to configure when a request in words finds no model', async () => {
    const ended = await home.run('run', 'open the mail')
    expect(ended.code).toBe(1)
    expectOneLine(ended, /No model is configured.*orrery workflows/)
  })

  it('lists sessions, shows one, and refuses one that is not known', async () => {
    await home.run('call', 'get_system_info')
    const list = await home.run('sessions', '--json')
    const [newest] = (JSON.parse(list.stdout) as { sessions: { session_id: string }[] }).sessions
    expect((await home.run('sessions')).stdout).toContain(newest?.session_id)
    expect((await home.run('session', newest?.session_id ?? '')).stdout).toMatch(/completed[\s\S]*get_system_info/)
    const unknown = await home.run('session', 'nope')
    expect(unknown.code).toBe(1)
    expectOneLine(unknown, /Session 'nope' is not known/)
    expect((await home.run('cancel', 'nope')).code).toBe(1)
  })

  it('refuses what it cannot do anything with', async () => {
    const cases: [string[], number, RegExp][] = [
      [['devices', '--api-key', 'wrong'], 1, /key/i],
      [['call', 'gone', 'execute_command', '{}'], 125, /Device 'gone' is not known/],
      [['call', 'execute_command', '{oops'], 2, /JSON/],
      [['devices', '--server', 'http://127.0.0.1:1'], 1, /127\.0\.0\.1:1.*orrery up/],
      [['run', 'workflow:nope'], 2, /There is no workflow 'nope'; there are: disk-cleanup/],
      [['run', 'workflow:system-report {"paht": 1}'], 2, /there is no input 'paht'/],
      [['run'], 2, /Nothing to do/],
      [['devcies'], 2, /devices/],
      [['sessions', '--limit', 'many'], 2, /limit/],
    ]
    for (const [args, code, text] of cases) {
      const ended = await home.run(...args)
      expect(ended.code, args.join(' ')).toBe(code)
      expectOneLine(ended, text)
    }
  })

  it('keeps its keys where only their owner reads them', () => {
    for (const name of ['operator.key', 'device.key']) expect(statSync(join(home.path, name)).mode & 0o777).toBe(0o600)
  })
})

describe('orrery device check', () => {
  it('ends with 0 for a good configuration, 2 for mistakes, and 1 for an MCP server that does not start', async () => {
    await using home = new OrreryHome()
    const bare = await home.run('device', 'check')
    expect(bare.code).toBe(0)
    expect(bare.stdout).toMatch(/There is no device\.jsonc[\s\S]*BashExecutor +ready +2/)

    const config = join(home.path, 'mine.jsonc')
    writeFileSync(config, '{\n  "shel": "full",\n  "token": "${NO_SUCH_KEY}"\n}\n')
    const wrong = await home.run('device', 'check', '--config', config)
    expect(wrong.code).toBe(2)
    expect(wrong.stderr).toMatch(
      /^orrery: \S+:2:3: unknown key 'shel'; did you mean 'shell'\?\n +\S+:3:12: .*'NO_SUCH_KEY' is not set.*\n$/,
    )

    writeFileSync(config, '{ "mcpServers": { "broken": { "command": "no-such-program" } } }')
    const broken = await home.run('device', 'check', '--config', config)
    expect(broken.code).toBe(1)
    expect(broken.stdout).toMatch(/broken +failed .*ENOENT/)
    expectOneLine(broken, 'These MCP servers do not start: broken')
  })
})

describe('orrery --help', () => {
  it('teaches what to try first, and explains each command with examples', async () => {
    await using home = new OrreryHome()
    const { code, stdout } = await home.run('--help')
    expect(code).toBe(0)
    expect(stdout).toMatch(/Try these first:[\s\S]*orrery up/)
    const commands = commandsIn(stdout)
    expect(commands).toEqual(
      expect.arrayContaining(['demo', 'up', 'server', 'device', 'run', 'call', 'devices', 'tools', 'session']),
    )
    for (const command of commands) {
      const help = await home.run(command, '--help')
      expect(help.code).toBe(0)
      const below = commandsIn(help.stdout)
      if (below.length === 0) expect(help.stdout, command).toMatch(/Examples:/)
      for (const name of below) expect((await home.run(command, name, '--help')).stdout, name).toMatch(/Examples:/)
    }
  })
})

describe('orrery demo', () => {
  it('shows real commands and a report, and ends with 0', async () => {
    await using home = new OrreryHome()
    const { code, stdout, stderr } = await home.run('demo')
    expect(code, stderr).toBe(0)
    for (const text of ['uname -a', 'get-sum', "Denied by the device's policy", 'Device: demo-device', '4 sessions ran'])
      expect(stdout).toContain(text)
  })
})

describe('a server and a device as two processes', () => {
  it('stop cleanly on SIGTERM, with exit code 0', async () => {
    await using home = new OrreryHome()
    const server = home.start('server', '--port', '0', '--log-level', 'INFO')
    const url = (await server.said(/(http:\/\/127\.0\.0\.1:\d+)/))[1] ?? ''
    const device = home.start('device', '--client-id', 'second')
    await device.said(/Device second is connected/)
    expect((await home.run('devices', '--server', url)).stdout).toMatch(/second +online/)
    expect((await device.kill('SIGTERM')).code).toBe(0)
    expect((await home.run('devices')).stdout).toMatch(/second +offline/)
    expect((await server.kill('SIGTERM')).code).toBe(0)
    expect((await home.run('devices')).code).toBe(1)
  })

  it('a port in use, a bad configuration and an MCP server that does not start are reported in one line each', async () => {
    await using home = new OrreryHome()
    const taken = createServer()
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
    const address = taken.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const inUse = await home.run('up', '--port', String(port))
    taken.close()
    expect(inUse.code).toBe(1)
    expectOneLine(inUse, `Port ${port} is in use: stop the other program or choose another with --port`)

    const config = join(home.path, 'device.jsonc')
    writeFileSync(config, '{\n  // the shell\n  "shel": "full"\n}\n')
    const wrong = await home.run('up', '--port', '0')
    expect(wrong.code).toBe(2)
    expectOneLine(wrong, /device\.jsonc:3:3: .*shel/)

    mkdirSync(join(home.path, 'empty'))
    writeFileSync(config, JSON.stringify({ mcpServers: { broken: { command: join(home.path, 'empty', 'nothing') } } }))
    await home.up()
    const call = await home.run('call', 'execute_command', '{"command": "echo still here"}')
    expect(call.stdout).toContain('still here')
    await expect
      .poll(async () => (await home.run('devices', '--verbose')).stdout, { timeout: 10_000, interval: 200 })
      .toMatch(/MCP servers +BashExecutor: ready, 2 tools\n[\s\S]* broken: failed, .*ENOENT/)
  })

  it('takes the settings of its server, the model among them, from server.yaml, or says where that is wrong', async () => {
    await using home = new OrreryHome()
    const config = join(home.path, 'server.yaml')
    writeFileSync(config, 'model:\n  name: ollama/from-the-file\n  limit: 5\n')
    const wrong = await home.run('up', '--port', '0')
    expect(wrong.code).toBe(2)
    expectOneLine(wrong, /server\.yaml:3:3: .*limit/)

    writeFileSync(config, 'port: 0\nmodel:\n  name: ollama/from-the-file\n')
    const up = home.start('up')
    await up.said(/asks from-the-file/)
    await up.kill('SIGTERM')

    const other = join(home.path, 'other.yaml')
    writeFileSync(other, 'model: { name: ollama/from-another }')
    await home.start('up', '--port', '0', '--server-config', other).said(/asks from-another/)
  })

  it('gives up with 1 when there is no server, and says where it looked', async () => {
    await using home = new OrreryHome()
    const ended = await home.run('device', '--ws-server', 'ws://127.0.0.1:1/ws', '--max-retries', '1', '--log-level', 'OFF')
    expect(ended.code).toBe(1)
    expectOneLine(ended, 'Cannot reach ws://127.0.0.1:1/ws')
  })

  it('says early that the key is refused, and ends with that', async () => {
    await using home = new OrreryHome()
    const server = home.start('server', '--port', '0', '--log-level', 'INFO')
    await server.said(/(http:\/\/127\.0\.0\.1:\d+)/)
    const flags = ['--token', 'wrong', '--max-retries', '2', '--log-level', 'OFF']
    const device = home.start('device', ...flags)
    await device.said(/^orrery: the server does not take the key: is the key right\?.*; trying again$/m)
    const { code, stderr } = await device.ended
    expect(code).toBe(1)
    expect(stderr.trim().split('\n')).toHaveLength(2)
    expect(stderr).toMatch(
      /refuses this device: the server does not take the key: is the key right\?.*Gave up after 2 attempts\n$/,
    )
  })
})

describe('killing the server with SIGKILL', () => {
  it('right after a task was acknowledged leaves the task in the log', async () => {
    await using home = new OrreryHome()
    const first = home.start('server', '--port', '0', '--log-level', 'INFO')
    await first.said(/http:\/\/127\.0\.0\.1:\d+/)
    const device = home.start('device', '--client-id', 'd', '--shell', 'full')
    await device.said(/connected/)
    const running = home.start('run', '--json', '--workflow', writeWorkflow(home, 'sleep 30'))
    // The first event is the acknowledgement: the task is recorded by now.
    await running.said(/"type":"accepted"/)
    await first.kill('SIGKILL')
    const second = home.start('server', '--port', '0', '--log-level', 'INFO')
    await second.said(/http:\/\/127\.0\.0\.1:\d+/)
    const { sessions } = JSON.parse((await home.run('sessions', '--json')).stdout) as { sessions: Record<string, unknown>[] }
    expect(sessions).toMatchObject([{ request: 'workflow:slow', device_id: 'd', status: 'paused' }])
  })
})

describe('Ctrl-C during `orrery run`', () => {
  it('cancels the session, reaches the running program, and ends with 130', async () => {
    await using home = new OrreryHome()
    await home.up('--shell', 'full')
    const running = home.start('run', '--json', '--workflow', writeWorkflow(home, 'sleep 600'))
    await running.said(/"type":"commands_sent"/)
    const ended = await running.kill('SIGINT')
    expect(ended.code).toBe(130)
    const { sessions } = JSON.parse((await home.run('sessions', '--json')).stdout) as { sessions: Record<string, unknown>[] }
    expect(sessions).toMatchObject([{ status: 'cancelled' }])
    // The device is free again at once: the program was ended.
    expect((await home.run('call', 'execute_command', '{"command": "echo free"}')).stdout).toContain('free')
  })
})

describe('`orrery call --concurrent`', () => {
  it('runs a read-only tool beside a running session, and no other tool', async () => {
    await using home = new OrreryHome()
    await home.up('--shell', 'full')
    const running = home.start('run', '--json', '--workflow', writeWorkflow(home, 'sleep 600'))
    await running.said(/"type":"commands_sent"/)
    expect((await home.run('call', '--concurrent', 'get_system_info')).code).toBe(0)
    const refused = await home.run('call', '--concurrent', 'execute_command', '{"command": "echo free"}')
    expect(refused).toMatchObject({ code: 125, stderr: expect.stringContaining('read-only') as unknown })
    expect((await running.kill('SIGINT')).code).toBe(130)
  })
})

function writeWorkflow(home: OrreryHome, command: string): string {
  const file = join(home.path, 'slow.yaml')
  writeFileSync(
    file,
    `name: slow\ndescription: Takes long\nsteps:\n  - { tool: execute_command, with: { command: "${command}", timeout: 120 } }\n`,
  )
  return file
}
