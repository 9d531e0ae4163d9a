import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { ManualClock } from '../../../test/support/manual-clock.js'
import { LIMITS } from '@orrery/aip'
import { DeviceConfig, type DeviceOptions } from '../src/index.js'
import { lives } from './support/config.js'
import { online } from './support/running-device.js'

type Output = Record<'stdout' | 'stderr' | 'error', string> & {
  success: boolean
  exit_code: number | null
  stdout_truncated?: boolean
}

const full = DeviceConfig.parse({ shell: 'full' })
const folders: string[] = []

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
})

function folder(): string {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'orrery-')))
  folders.push(path)
  return path
}

async function execute(parameters: object, options: Partial<DeviceOptions> = {}): Promise<Record<string, unknown>> {
  await using running = await online(options)
  const [result] = await running.connection.run([{ tool_name: 'execute_command', tool_type: 'action', parameters }])
  return result!
}

describe.runIf(process.platform !== 'win32')('BashExecutor', () => {
  it('runs a program and gives its exit code and output', async () => {
    expect(await execute({ command: "echo 'a  b'" })).toEqual({
      status: 'success',
      error: null,
      result: { success: true, exit_code: 0, stdout: 'a  b\n', stderr: '' },
      namespace: 'BashExecutor',
      call_id: 'c1',
    })
    const missing = (await execute({ command: 'cat no/such/file' }))['result'] as Output
    expect(missing).toMatchObject({ success: false, exit_code: 1, stdout: '' })
    expect(missing.stderr).toContain('no/such/file')
  })

  it('takes an api_key of existing agents and ignores it', async () => {
    expect(await execute({ command: 'echo x', api_key: 'secret' })).toMatchObject({ status: 'success' })
  })

  it('refuses by policy with the name of the rule', async () => {
    expect(await execute({ command: 'ls | sh' })).toMatchObject({
      status: 'failure',
      error: expect.stringMatching(/^Denied by the device's policy \(rule: shell\.operators\): '\|' is not available/),
      result: null,
    })
  })

  it('runs in the folder that is asked for, else where the device was started', async () => {
    const cwd = folder()
    expect(((await execute({ command: 'pwd' }, { cwd }))['result'] as Output).stdout).toBe(`${cwd}\n`)
    expect(((await execute({ command: 'pwd', cwd: '/' }, { cwd }))['result'] as Output).stdout).toBe('/\n')
    expect(await execute({ command: 'pwd', cwd: '/no/such' })).toMatchObject({
      status: 'failure',
      error: 'Invalid working directory: /no/such',
    })
  })

  it('judges files from the folder that the kernel enters', async () => {
    const base = folder()
    for (const name of ['root', 'outside/deep']) mkdirSync(join(base, name), { recursive: true })
    for (const name of ['root/x', 'outside/x']) writeFileSync(join(base, name), `${name}\n`)
    symlinkSync('../outside/deep', join(base, 'root/link'))
    const run = (command: string, cwd: string) => execute({ command, cwd }, { cwd: join(base, 'root') })
    expect(await run('ls', 'link/..')).toMatchObject({ result: { stdout: 'deep\nx\n' } })
    for (const command of ['cat x', 'grep -r . .', 'cat deep/../x'])
      expect(await run(command, 'link/..')).toMatchObject({ status: 'failure', error: expect.stringContaining('shell.roots') })
    expect(await run('cat ../root/x', 'link/..')).toMatchObject({ result: { stdout: 'root/x\n' } })
  })

  it('hides the keys of the device from what it runs', async () => {
    const env = { ...process.env, ORRERY_API_KEY: 'secret' }
    const { stdout } = (await execute({ command: 'env' }, { config: full, env }))['result'] as Output
    expect(stdout).toContain('PATH=')
    expect(stdout).not.toContain('secret')
  })

  it('gives the full shell only where the owner has set it', async () => {
    expect((await execute({ command: 'echo a b | wc -w; exit 3' }, { config: full }))['result']).toMatchObject({
      success: false,
      exit_code: 3,
      stdout: expect.stringMatching(/^\s*2\n$/),
    })
  })

  it('may be asked to wait as long as any tool may run: 100 minutes [S-265]', async () => {
    await using running = await online({ config: full })
    const [listed] = await running.connection.run([{ tool_name: 'list_tools' }])
    const tools = listed!['result'] as {
      tool_name: string
      input_schema: { properties: { timeout?: { description: string } } }
    }[]
    const { input_schema: schema } = tools.find(({ tool_name }) => tool_name === 'execute_command')!
    expect(schema.properties.timeout?.description).toBe('Seconds after which the command is ended, 1 to 6000')
    expect(LIMITS.toolTime).toBe(100 * 60_000)
  })

  it.each([
    [0, 1],
    [2, 2],
    [1000, 1000],
    [undefined, 30],
  ])('with timeout %s ends the whole process group after %s s and gives what was printed', async (timeout, seconds) => {
    const clock = new ManualClock()
    await using running = await online({ config: full, clock, heartbeatS: 10_000 })
    // The ready file tells that all is up: the shell, and a child that ignores the polite end.
    const cwd = folder()
    const script = `trap '' TERM; sleep 600 & echo $! $$; touch ready; wait; sleep 600`
    running.connection.command([{ tool_name: 'execute_command', parameters: { command: script, cwd, timeout } }])
    const { existsSync } = await import('node:fs')
    await expect.poll(() => existsSync(join(cwd, 'ready'))).toBe(true)
    // In steps that the connection's pings survive.
    for (let left = seconds * 1000 - 1; left > 0; left -= 15_000) await clock.advance(Math.min(left, 15_000))
    expect(running.connection.frames).toHaveLength(1)
    await clock.advance(1)
    await clock.advance(2000)
    const { action_results: results } = await running.connection.next('command_results')
    const { result } = (results as { result: Output }[])[0]!
    expect(result).toMatchObject({ success: false, exit_code: null, error: `Timeout after ${seconds}s.` })
    const pids = result.stdout.trim().split(' ').map(Number)
    expect(pids).toHaveLength(2)
    await expect.poll(() => pids.some(lives)).toBe(false)
  })

  it('ends the process group when the command is cancelled', async () => {
    const cwd = folder()
    await using running = await online({ config: full })
    const { readFileSync } = await import('node:fs')
    const pid = (): number => Number(readFileSync(join(cwd, 'pid'), 'utf8'))
    running.connection.command([{ tool_name: 'execute_command', parameters: { command: 'echo $$ > pid; sleep 600', cwd } }])
    await expect.poll(() => lives(pid())).toBe(true)
    running.connection.send('cancel', { session_id: 's1', response_id: null, call_id: 'c1', reason: 'user' })
    expect((await running.connection.next('command_results'))['action_results']).toMatchObject([
      { status: 'failure', error: 'cancelled' },
    ])
    await expect.poll(() => lives(pid())).toBe(false)
  })

  it('does not wait for a child that a command leaves behind, and ends it', async () => {
    const { stdout } = (await execute({ command: 'sleep 600 & echo $!' }, { config: full }))['result'] as Output
    await expect.poll(() => lives(Number(stdout))).toBe(false)
  })

  it('keeps the head and the tail of a long output', async () => {
    const command = `echo first; head -c 2000000 /dev/zero | tr '\\0' x; echo; echo last`
    const result = (await execute({ command }, { config: full }))['result'] as Output
    expect(result.stdout_truncated).toBe(true)
    expect(result.stdout.length).toBeLessThan(256 * 1024 + 100)
    expect(result.stdout).toMatch(/^first\nx+\n… \d+ bytes left out …\nx+\nlast\n$/)
  })

  it('returns all of a long output to a caller that asks for it', async () => {
    const command = `head -c 10000000 /dev/zero | tr '\\0' x`
    const result = (await execute({ command, max_output: 16 * 1024 * 1024 }, { config: full }))['result'] as Output
    expect(result.stdout_truncated).toBeUndefined()
    expect(result.stdout.length).toBe(10_000_000)
  })

  it('describes the machine', async () => {
    await using running = await online()
    const [result] = await running.connection.run([{ tool_name: 'get_system_info' }])
    expect(result!['result']).toEqual({
      uname: expect.any(String),
      uptime: expect.any(String),
      memory: expect.any(String),
      disk: expect.stringMatching(/Filesystem|^Error: /),
    })
  })
})

describe.runIf(process.platform !== 'win32')('CommandLineExecutor', () => {
  it('launches, waits at most 5 s and gives null; what it launched ends with the device', async () => {
    const cwd = folder()
    const clock = new ManualClock()
    const { readFileSync } = await import('node:fs')
    const pid = (): number => Number(readFileSync(join(cwd, 'pid'), 'utf8'))
    {
      await using running = await online({ config: full, clock, cwd })
      const launch = { tool_name: 'run_shell', parameters: { bash_command: 'echo $$ > pid; exec sleep 600' } }
      running.connection.command([launch])
      await expect.poll(() => lives(pid())).toBe(true)
      await clock.advance(5000)
      expect((await running.connection.next('command_results'))['action_results']).toMatchObject([
        { status: 'success', result: null, namespace: 'CommandLineExecutor' },
      ])
      expect(lives(pid())).toBe(true)
    }
    await expect.poll(() => lives(pid())).toBe(false)
  })

  it('refuses an empty line, what is not on the list, and what cannot be launched', async () => {
    await using running = await online()
    for (const [line, error] of [
      [' ', 'Bash command cannot be empty.'],
      ['rm -rf /', "Denied by the device's policy (rule: shell.allow-list)"],
      ['winword', 'Failed to launch application: '],
    ] as const) {
      const [result] = await running.connection.run([{ tool_name: 'run_shell', parameters: { bash_command: line } }])
      expect(result).toMatchObject({ status: 'failure', error: expect.stringContaining(error) })
    }
  })
})
