import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DeviceConfig, startDevice } from '@orrery/device'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { StockLinuxDevice } from '../../../test/support/stock-linux-device.js'
import { DEVICE_KEY, OPERATOR_KEY, startTestServer, type TestServer } from '../../../test/support/test-server.js'
import { programCommand, quoted } from '../src/exec/program-command.js'
import { inPipes, onTerminal } from './support/captured-terminal.js'

type Stop = () => Promise<unknown>

describe('`orrery exec`', () => {
  let server: TestServer
  let folder: string
  const stops: Stop[] = []
  beforeEach(async () => {
    server = await startTestServer()
    folder = mkdtempSync(join(tmpdir(), 'orrery-exec-'))
  })
  afterEach(async () => {
    for (const stop of stops.splice(0)) await stop()
    await server[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true })
  })

  /** A device that may run everything, without a question. */
  async function device(more: object = {}): Promise<void> {
    const running = startDevice({
      serverUrl: `${server.url.replace('http', 'ws')}/ws`,
      token: DEVICE_KEY,
      clientId: 'd1',
      config: DeviceConfig.parse({ shell: 'full', policy: [{ server: '*', do: 'allow' }], ...more }),
      cwd: folder,
    })
    stops.push(() => running.stop())
    await running.registered
  }

  const run = (...words: string[]): ReturnType<typeof inPipes> =>
    inPipes('exec', '--server', server.url, '--api-key', OPERATOR_KEY, ...words)

  it('prints what a program prints, byte for byte, and ends with its exit code', async () => {
    await device()
    const script = String.raw`printf 'a\n\nb'; printf 'oh' >&2; exit 7`
    expect(await run('d1', '--', 'sh', '-c', script)).toEqual({ stdout: Buffer.from('a\n\nb'), stderr: 'oh', code: 7 })
    const words = ['-h', '--json', "it's", '', '$HOME', '*']
    const { stdout, code } = await run('--', 'printf', '%s|', ...words)
    expect([stdout.toString(), code]).toEqual([words.map((word) => `${word}|`).join(''), 0])
  })

  it('prints a long output whole, bytes that are not text too', async () => {
    await device()
    const { stdout, stderr, code } = await run('--', 'sh', '-c', String.raw`head -c 3000000 /dev/zero | tr '\0' '\377'; echo end`)
    expect([stdout.length, stdout.subarray(-5), stderr, code]).toEqual([3_000_004, Buffer.from('\u00FFend\n', 'latin1'), '', 0])
    expect(stdout.subarray(0, 3_000_000).every((byte) => byte === 255)).toBe(true)
  })

  it('gives the program a folder and variables', async () => {
    await device()
    const { stdout } = await run('--cwd', folder, '--env', 'WORD=x=y', '--', 'sh', '-c', 'pwd; echo "$WORD"')
    expect(stdout.toString()).toBe(`${folder}\nx=y\n`)
  })

  it('ends with 125 where the program did not run: refused, missing, or the device is not there', async () => {
    await device({ shell: 'strict', policy: [] })
    expect(await run('--', 'rm', '-rf', 'x')).toMatchObject({ code: 125, stderr: expect.stringContaining('Denied') as unknown })
    expect(await run('nowhere', '--', 'ls')).toMatchObject({ code: 125, stderr: expect.stringContaining("'nowhere'") as unknown })
    const none = await inPipes('exec', '--server', 'http://127.0.0.1:1', '--api-key', 'x', 'd1', '--', 'ls')
    expect(none).toMatchObject({ code: 125, stderr: expect.stringMatching(/^orrery: No server answers/) as unknown })
  })

  it('runs a command line on an existing device, quoted for its shell', async () => {
    let seen: unknown
    const result = { success: false, exit_code: 2, stdout: 'out\n', stderr: 'err\n' }
    const stock = await StockLinuxDevice.register(server.url, DEVICE_KEY, {
      tools: {
        execute_command: (parameters) => {
          seen = parameters['command']
          return result
        },
      },
    })
    stops.push(() => stock[Symbol.asyncDispose]())
    expect(await run('--', 'ls', "it's here", '*.txt')).toEqual({ stdout: Buffer.from('out\n'), stderr: 'err\n', code: 2 })
    expect(seen).toBe(`ls 'it'"'"'s here' '*.txt'`)
  })

  it('returns at once with --no-wait, and says how to follow', async () => {
    await device()
    const { stdout, stderr, code } = await run('--no-wait', '--', 'true')
    expect(code).toBe(0)
    expect(stdout.toString()).toMatch(/^[0-9a-f-]{36}\n$/)
    expect(stderr).toMatch(/^Follow it with: (?:.\/)?orrery session -f /)
    await expect
      .poll(async () => (await server.api(`/api/sessions/${stdout.toString().trim()}`)).body)
      .toMatchObject({ status: 'completed' })
    const followed = await inPipes('session', '-f', stdout.toString().trim(), '--server', server.url, '--api-key', OPERATOR_KEY)
    expect(followed.code).toBe(0)
  })

  it.each([
    [['df', '-h'], /Put -- before the program: (?:.\/)?orrery exec -- df -h/],
    [['d1'], /Put -- before the program/],
    [['--'], /Name a program/],
    [['d1', '-d', 'd2', '--', 'ls'], /Two devices are named: 'd1' and, with --device, 'd2'/],
    [['--env', 'x', '--', 'ls'], /NAME=VALUE/],
    [['a', 'b', '--', 'ls'], /too many arguments/],
  ])('%j is refused with exit code 2', async (words, text) => {
    expect(await run(...words)).toMatchObject({ code: 2, stderr: expect.stringMatching(text) as unknown })
  })
})

describe('the command of a program', () => {
  it('needs a tool for it', () => {
    const wanted = { program: 'ls', args: [], cwd: undefined, env: {}, stdin: undefined, timeout: 5 }
    expect(programCommand([], 'd1', wanted)).toEqual({ tool_name: 'execute_command', parameters: { command: 'ls', timeout: 5 } })
    const other = { tool_key: 'action::x', tool_name: 'x', tool_type: 'action' as const, namespace: 'n' }
    const rest = { title: null, description: null, input_schema: null, output_schema: null, meta: null, annotations: null }
    expect(() => programCommand([{ ...other, ...rest }], 'd1', wanted)).toThrow(/d1 has no tool that runs a program/)
    expect(() => programCommand([], 'd1', { ...wanted, stdin: 'x' })).toThrow(/--stdin/)
  })

  it.each(['', ' ', "'", '$x', '`x`', 'a\nb', '*', '~', 'a;b'])('quotes %j', (word) => {
    expect(quoted(word)).toMatch(/^'[\s\S]*'$/)
  })
})

describe('a command line where `orrery call` wants JSON', () => {
  it.each([
    [['execute_command', 'df', '-h']],
    [['execute_command', 'ls', '-la']],
    [['execute_command', 'du', '-d', '1']],
    [['lab', 'execute_command', 'df']],
    [['execute_command', 'df', '-h', '/']],
  ])('%j is explained', async (words) => {
    const { written, code } = await onTerminal('call', ...words)
    expect(code).toBe(2)
    expect(written).toMatch(/^orrery: The arguments of a tool are JSON. Run a program with: (?:.\/)?orrery exec -- (df|ls|du)/)
  })

  it('explains a tool that was taken for a device', async () => {
    await using server = await startTestServer()
    await using _device = await StockLinuxDevice.register(server.url, DEVICE_KEY, {
      tools: { type_text: () => 'typed', execute_command: () => '' },
    })
    const call = (...words: string[]) => onTerminal('call', ...words, '--server', server.url, '--api-key', OPERATOR_KEY)
    const run = await call('execute_command', 'df -h')
    expect(run.written).toMatch(/'execute_command' is a tool, not a device. Run a program with: (?:.\/)?orrery exec -- df -h/)
    expect((await call('type_text', 'hello')).written).toContain("'type_text' is a tool, not a device")
    expect(await call('nowhere', 'hello')).toMatchObject({
      code: 125,
      written: expect.stringContaining("Device 'nowhere'") as unknown,
    })
  })
})
