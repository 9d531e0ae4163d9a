import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../../test/support/manual-clock.js'
import { hasPrograms } from '../../../test/support/has-programs.js'
import { DeviceConfig, type DeviceOptions } from '../src/index.js'
import { Roots } from '../src/policy/roots.js'
import { BUILT_IN_TOOLS } from '../src/tools/built-in-servers.js'
import { SHELL_LIMITS } from '../src/tools/shell/limits.js'
import { lives } from './support/config.js'
import { temporaryFolders } from './support/temporary.js'
import { toolCaller, type ToolCaller } from './support/tool-caller.js'

const folder = temporaryFolders()
const full = DeviceConfig.parse({ shell: 'full' })
const posix = process.platform !== 'win32'

interface Ran {
  exit_code: number | null
  ended: string
  stdout: string
  stderr: string
  stdout_id?: string
}
interface Output {
  content: string
  next_offset: number
  size: number
  dropped: number
  running: boolean
  exit_code: number | null
}

/** A device in a folder of its own, with the full shell unless told otherwise. */
async function shell(options: Partial<DeviceOptions> = {}) {
  const base = folder()
  const cwd = join(base, 'root')
  const dataDir = join(base, 'data')
  mkdirSync(cwd)
  const tools = await toolCaller({ config: full, cwd, dataDir, ...options })
  return { cwd, dataDir, tools, [Symbol.asyncDispose]: () => tools[Symbol.asyncDispose]() }
}

/** Reads a job until it ends. */
async function readAll(
  tools: ToolCaller,
  id: string,
  until: (text: string) => boolean = () => false,
): Promise<{ text: string; last: Output }> {
  let text = ''
  for (let offset = 0; ;) {
    const last: Output = await tools.value<Output>('read_output', { id, offset, wait_ms: 5000 })
    text += last.content
    offset = last.next_offset
    if (until(text) || (!last.running && offset >= last.size)) return { text, last }
  }
}

/** Shell code that leaves a process in a session of its own, without a parent, which ignores what it can and writes its number into a file. */
const daemon = (name: string): string => `(setsid sh -c 'trap "" HUP TERM; echo $$ > ${name}; exec sleep 600' > /dev/null 2>&1 &)`

async function pidIn(cwd: string, name: string): Promise<number> {
  const read = (): string => (existsSync(join(cwd, name)) ? readFileSync(join(cwd, name), 'utf8') : '')
  await expect.poll(read, { timeout: 10_000 }).toMatch(/^\d+\n$/)
  return Number(read())
}

describe.runIf(posix)('run_command', () => {
  it.runIf(process.platform === 'linux')('leaves a daemon alone when it ends by itself, and not at its timeout', async () => {
    await using at = await shell()
    const line = `${daemon('stays')}; while ! [ -s stays ]; do sleep 0.01; done`
    expect(await at.tools.value('run_command', { line })).toMatchObject({ ended: 'exit' })
    const stays = await pidIn(at.cwd, 'stays')
    expect(await at.tools.value('run_command', { line: `${daemon('goes')}; sleep 600`, timeout_s: 1 })).toMatchObject({
      ended: 'timeout',
    })
    const goes = await pidIn(at.cwd, 'goes')
    await expect.poll(() => lives(goes)).toBe(false)
    expect(lives(stays)).toBe(true)
    process.kill(stays, 'SIGKILL')
  })

  it('runs a program with its arguments as they are, whatever they hold', async () => {
    await using at = await shell()
    const word = fc.string({ unit: 'binary' }).filter((text) => !text.includes('\0') && text.isWellFormed())
    await fc.assert(
      fc.asyncProperty(fc.array(word, { minLength: 1, maxLength: 4 }), async (words) => {
        const { stdout } = await at.tools.value<Ran>('run_command', { program: 'printf', args: [String.raw`%s\0`, ...words] })
        expect(stdout.split('\0').slice(0, -1)).toEqual(words)
      }),
      { numRuns: 30 },
    )
  })

  it('gives a line to the shell where the owner allows it, with folder, environment and input', async () => {
    await using at = await shell()
    mkdirSync(join(at.cwd, 'sub'))
    const line = 'pwd; echo "$X"; cat; echo bad >&2; exit 3'
    expect(await at.tools.value('run_command', { line, cwd: 'sub', env: { X: 'a b' }, stdin: 'typed\n' })).toEqual({
      exit_code: 3,
      ended: 'exit',
      stdout: `${join(at.cwd, 'sub')}\na b\ntyped\n`,
      stderr: 'bad\n',
    })
    expect(await at.tools.error('run_command', { line: 'pwd', cwd: '..' })).toContain('outside of the folders')
    expect(await at.tools.error('run_command', { line: 'pwd', cwd: 'none' })).toContain('not a folder')
    expect(await at.tools.error('run_command', { program: 'no-such-program' })).toBe(
      'Tool no-such-program execution failed: there is no such program',
    )
    expect(await at.tools.error('run_command', {})).toContain("give either 'program'")
  })

  it('goes through the rules of the strict shell otherwise', async () => {
    await using at = await shell({ config: DeviceConfig.parse({}) })
    writeFileSync(join(at.cwd, 'a'), 'text')
    expect(await at.tools.value('run_command', { program: 'cat', args: ['a'] })).toMatchObject({ stdout: 'text' })
    expect(await at.tools.value('run_command', { line: "echo 'a b'", env: { TZ: 'UTC' } })).toMatchObject({ stdout: 'a b\n' })
    for (const [args, rule] of [
      [{ program: 'sh', args: ['-c', 'id'] }, 'shell.allow-list'],
      [{ line: 'ls | sh' }, 'shell.operators'],
      [{ program: 'find', args: ['.', '-delete'] }, 'shell.arguments'],
      [{ program: 'cat', args: ['/etc/passwd'] }, 'shell.roots'],
      [{ program: './ls' }, 'shell.program-path'],
      [{ program: 'ls', env: { LD_PRELOAD: '/tmp/x.so' } }, 'shell.environment'],
      [{ program: 'ls', env: { PATH: '/tmp' } }, 'shell.environment'],
    ] as const) {
      expect(await at.tools.error('run_command', args)).toContain(`(rule: ${rule})`)
      expect(await at.tools.error('start_job', args)).toContain(`(rule: ${rule})`)
    }
  })

  it('keeps head and tail of a long output, and the whole of it in a file until the device ends', async () => {
    let dataDir = ''
    {
      await using at = await shell()
      dataDir = at.dataDir
      const { stdout, stdout_id: id } = await at.tools.value<Ran>('run_command', { line: 'seq 1 200000' })
      expect(stdout).toMatch(/^1\n2\n[\s\S]* bytes left out [\s\S]*\n200000\n$/)
      expect(stdout.length).toBeLessThan(300_000)
      let whole = ''
      for (let offset = 0; ;) {
        const part = await at.tools.value<Output>('read_output', { id, offset, limit: SHELL_LIMITS.readMost })
        whole += part.content
        offset = part.next_offset
        if (offset >= part.size) break
      }
      expect(whole).toBe(Array.from({ length: 200_000 }, (_, index) => `${index + 1}\n`).join(''))
      expect(readdirSync(dataDir)).toHaveLength(1)
      expect(await at.tools.error('read_output', { id: 'none' })).toBe("There is no job or output 'none'")
    }
    await expect.poll(() => readdirSync(dataDir)).toEqual([])
  })

  it('bounds what is kept of a program that prints forever, and ends all of it at the timeout', async () => {
    const clock = new ManualClock()
    await using at = await shell({ clock })
    const running = at.tools.value<Ran>('run_command', { line: 'echo $$ > pid; while :; do yes; done', timeout_s: 5 })
    const pid = (): number => Number(readFileSync(join(at.cwd, 'pid'), 'utf8'))
    await expect.poll(() => existsSync(join(at.cwd, 'pid')) && lives(pid())).toBe(true)
    await clock.advance(5000)
    const { ended, stdout_id: id } = await running
    expect(ended).toBe('timeout')
    await expect.poll(() => lives(pid())).toBe(false)
    if (id !== undefined)
      expect((await at.tools.value<Output>('read_output', { id })).size).toBeLessThanOrEqual(SHELL_LIMITS.kept)
  })

  it('clears what a device that was killed has left behind', async () => {
    await using at = await shell()
    // No process has this number: it is above the largest one.
    const left = join(at.dataDir, 'orrery-outputs-99999999-abc')
    mkdirSync(left, { recursive: true })
    await at.tools.value('run_command', { line: 'seq 1 200000' })
    expect(existsSync(left)).toBe(false)
  })
})

describe.runIf(posix)('jobs', () => {
  it('run in the background, are read from where one was, take input, and end', async () => {
    await using at = await shell()
    const job = await at.tools.value<{ job_id: string }>('start_job', { line: 'while read x; do echo "got $x"; done; echo bye' })
    expect(job).toMatchObject({ state: 'running', exit_code: null, terminal: false })
    const id = job.job_id
    await at.tools.value('send_input', { job_id: id, text: 'é1\n' })
    const first = await readAll(at.tools, id, (text) => text.endsWith('\n'))
    expect(first.text).toBe('got é1\n')
    await at.tools.value('send_input', { job_id: id, text: '2\n', end: true })
    const rest = await at.tools.value<Output>('read_output', { id, offset: first.last.next_offset, wait_ms: 5000 })
    expect(`got 2\nbye\n`.startsWith(rest.content)).toBe(true)
    const { text, last } = await readAll(at.tools, id)
    expect(text).toBe('got é1\ngot 2\nbye\n')
    expect(last).toMatchObject({ running: false, exit_code: 0 })
    expect(await at.tools.value('list_jobs')).toMatchObject({ jobs: [{ job_id: id, state: 'ended', exit_code: 0 }] })
    expect(await at.tools.error('send_input', { job_id: id, text: 'x' })).toContain('no longer takes input')
    expect(await at.tools.error('stop_job', { job_id: 'none' })).toBe("There is no job 'none'")
  })

  it('end with all that they have started: when stopped, and with the device', async () => {
    const pids: number[] = []
    {
      await using at = await shell()
      for (const stop of [true, false]) {
        const line = 'sleep 600 & echo $! $$; wait'
        const { job_id: id } = await at.tools.value<{ job_id: string }>('start_job', { line })
        const { text } = await readAll(at.tools, id, (read) => read.endsWith('\n'))
        const started = text.trim().split(' ').map(Number)
        pids.push(...started)
        if (!stop) continue
        expect(await at.tools.value('stop_job', { job_id: id })).toMatchObject({
          state: 'ended',
          exit_code: null,
          signal: 'SIGTERM',
        })
        await expect.poll(() => started.some(lives)).toBe(false)
      }
      expect(pids.some(lives)).toBe(true)
    }
    await expect.poll(() => pids.some(lives)).toBe(false)
  })

  it.runIf(process.platform === 'linux')('end with their daemons too: by themselves, and when stopped', async () => {
    await using at = await shell()
    for (const [name, then] of [
      ['short', `while ! [ -s short ]; do sleep 0.01; done`],
      ['long', 'sleep 600'],
    ] as const) {
      const { job_id: id } = await at.tools.value<{ job_id: string }>('start_job', { line: `${daemon(name)}; ${then}` })
      const pid = await pidIn(at.cwd, name)
      if (name === 'long') {
        expect(lives(pid)).toBe(true)
        await at.tools.value('stop_job', { job_id: id })
      }
      await expect.poll(() => lives(pid)).toBe(false)
    }
  })

  it('are as many as allowed at a time', async () => {
    await using at = await shell()
    const start = () => at.tools.call('start_job', { program: 'sleep', args: ['600'] })
    for (let count = 0; count < SHELL_LIMITS.jobs; count += 1) expect((await start()).status).toBe('success')
    expect((await start()).error).toBe(`${SHELL_LIMITS.jobs} jobs run already; stop one with stop_job`)
    await at.tools.value('stop_job', { job_id: 'job-1' })
    expect((await start()).status).toBe('success')
  })

  it('let a read wait no longer than requested', async () => {
    const clock = new ManualClock()
    await using at = await shell({ clock })
    const { job_id: id } = await at.tools.value<{ job_id: string }>('start_job', { program: 'sleep', args: ['600'] })
    const before = clock.pending
    const read = at.tools.value<Output>('read_output', { id, wait_ms: 1000 })
    await expect.poll(() => clock.waits.includes(1000) && clock.pending > before).toBe(true)
    await clock.advance(1000)
    expect(await read).toMatchObject({ content: '', running: true })
  })
})

describe.runIf(process.platform === 'linux' && hasPrograms('script'))('a pseudo-terminal', () => {
  it('is one for the program, with a size, and passes words as they are', async () => {
    await using at = await shell()
    const { terminalColumns: columns, terminalRows: rows } = SHELL_LIMITS
    const { stdout, exit_code: code } = await at.tools.value<Ran>('run_command', {
      line: 'test -t 0 && test -t 1 && stty size; exit 4',
      terminal: true,
    })
    expect([stdout, code]).toEqual([`${rows} ${columns}\r\n`, 4])
    const words = ["it's", '$HOME `id` "x"', 'a\\b', 'ü ; rm']
    const printed = await at.tools.value<Ran>('run_command', { program: 'printf', args: ['<%s>', ...words], terminal: true })
    expect(printed.stdout).toBe(words.map((word) => `<${word}>`).join(''))
  })

  it('is there in the strict shell too, under its rules', async () => {
    await using at = await shell({ config: DeviceConfig.parse({}) })
    expect(await at.tools.value('run_command', { line: "echo 'a;b'", terminal: true })).toMatchObject({ stdout: 'a;b\r\n' })
    expect(await at.tools.error('run_command', { line: 'sh', terminal: true })).toContain('shell.allow-list')
  })

  it('lets a job be used as by hand, and ends with all that runs in it', async () => {
    await using at = await shell()
    const { job_id: id } = await at.tools.value<{ job_id: string }>('start_job', { program: 'sh', args: ['-i'], terminal: true })
    await at.tools.value('send_input', { job_id: id, text: "trap '' HUP; sleep 601 & echo pid $! $$\n" })
    // To its prompt: what is typed earlier would appear before it.
    const { text } = await readAll(at.tools, id, (read) => /pid \d+ \d+\r\n[#$] $/.test(read))
    const pids = /pid (\d+) (\d+)\r/.exec(text)!.slice(1).map(Number)
    expect(pids.every(lives)).toBe(true)
    // Once it answers, it is what Ctrl-C reaches.
    await at.tools.value('send_input', { job_id: id, text: 'cat\nhello\n' })
    await readAll(at.tools, id, (read) => read.includes('hello\r\nhello\r\n'))
    await at.tools.value('send_input', { job_id: id, text: '\u0003' })
    await readAll(at.tools, id, (read) => /\^C\s+[#$] $/.test(read))
    await at.tools.value('send_input', { job_id: id, text: 'echo after\n' })
    await readAll(at.tools, id, (read) => read.includes('\nafter\r'))
    await at.tools.value('stop_job', { job_id: id })
    await expect.poll(() => pids.filter(lives)).toEqual([])
  })
})

describe('what a call of the shell would touch', () => {
  it('is known before it runs', () => {
    const roots = new Roots({ cwd: '/srv/x' })
    const effects = (args: unknown, mode: 'strict' | 'full' = 'strict') =>
      BUILT_IN_TOOLS.describeCall('shell', 'run_command', args, { roots, shell: mode, cwd: '/srv/x' })
    const paths = [{ path: join('/srv/x', 'y'), access: 'run' }]
    expect(effects({ program: 'git', args: ['-c', 'x'], cwd: 'y' })).toEqual({ argv: ['git', '-c', 'x'], paths })
    expect(effects({ line: "ls 'a b'", cwd: 'y' })).toEqual({ argv: ['ls', 'a b'], paths })
    if (posix) expect(effects({ line: 'ls | wc', cwd: 'y' }, 'full')).toEqual({ argv: ['/bin/sh', '-c', 'ls | wc'], paths })
    expect(() => effects({ line: 'ls | wc' })).toThrow(/shell\.operators/)
    expect(effects({})).toEqual({ refused: "give either 'program' with 'args', or 'line'" })
  })
})
