import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const MAIN = join(ROOT, 'packages/cli/bin/orrery.js')

/** How a command ended, and what it printed. */
export interface Ended {
  code: number | null
  stdout: string
  stderr: string
}

/** The command line as real processes, with a home of its own. Ends what it started when it is disposed of. */
export class OrreryHome implements AsyncDisposable {
  readonly path = mkdtempSync(join(tmpdir(), 'orrery-home-'))
  readonly #running = new Set<ChildProcess>()
  readonly #env: Readonly<Record<string, string>>

  /** @param env variables for every command, besides those that keep it in its home */
  constructor(env: Readonly<Record<string, string>> = {}) {
    this.#env = env
  }

  /** Runs a command until it exits. */
  run(...args: string[]): Promise<Ended> {
    return this.start(...args).ended
  }

  /** Runs a command that reads an input, until it exits. */
  runWith(input: string | Buffer, ...args: string[]): Promise<Ended> {
    return this.#spawn(process.execPath, [MAIN, ...args], 'pipe').give(input)
  }

  /** Runs a command with more variables until it exits. */
  runIn(env: Readonly<Record<string, string>>, ...args: string[]): Promise<Ended> {
    return this.#spawn(process.execPath, [MAIN, ...args], 'ignore', env).ended
  }

  /** Starts a command that keeps running. */
  start(...args: string[]): OrreryProcess {
    return this.#spawn(process.execPath, [MAIN, ...args], 'ignore')
  }

  /** Starts a command in a pseudo-terminal, which the program `script` makes: what it shows is in `stdout`. */
  startInTerminal(...args: string[]): OrreryProcess {
    return this.startShellInTerminal('', args)
  }

  /** The same with lines for the shell of that terminal before the command and after it. */
  startShellInTerminal(before: string, args: readonly string[], after = ''): OrreryProcess {
    const words = [process.execPath, MAIN, ...args].map((word) => `'${word.replaceAll("'", `'"'"'`)}'`)
    const lines = ['stty rows 24 cols 80', before, `${after === '' ? 'exec ' : ''}${words.join(' ')}`, after]
    return this.#spawn('script', ['-qfec', lines.filter((line) => line !== '').join('\n'), '/dev/null'], 'pipe')
  }

  /** Runs another program until it exits. */
  runProgram(program: string, ...args: string[]): Promise<Ended> {
    return this.#spawn(program, args, 'ignore').ended
  }

  #spawn(
    program: string,
    args: readonly string[],
    stdin: 'ignore' | 'pipe',
    env: Readonly<Record<string, string>> = {},
  ): OrreryProcess {
    const child = spawn(program, args, {
      env: { PATH: process.env['PATH'], HOME: this.path, ORRERY_HOME: this.path, NO_COLOR: '1', ...this.#env, ...env },
      cwd: this.path,
      stdio: [stdin, 'pipe', 'pipe'],
    })
    this.#running.add(child)
    child.once('exit', () => this.#running.delete(child))
    return new OrreryProcess(child)
  }

  /** Starts `orrery up` on a free port and waits until it is ready. */
  async up(...args: string[]): Promise<OrreryProcess> {
    const up = this.start('up', '--port', '0', ...args)
    await up.said(/ready at (\S+)/)
    return up
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ends = [...this.#running].map((child) => new Promise((resolve) => child.once('exit', resolve)))
    for (const child of this.#running) child.kill('SIGKILL')
    await Promise.all(ends)
    rmSync(this.path, { recursive: true, force: true })
  }
}

/** A command that runs. */
export class OrreryProcess {
  readonly ended: Promise<Ended>
  readonly #child: ChildProcess
  #stdout = ''
  #stderr = ''
  #changed = Promise.withResolvers<void>()

  constructor(child: ChildProcess) {
    this.#child = child
    child.stdout?.on('data', (chunk: Buffer) => this.#add('stdout', chunk))
    child.stderr?.on('data', (chunk: Buffer) => this.#add('stderr', chunk))
    this.ended = new Promise((resolve) => {
      child.once('close', (code) => {
        resolve({ code, stdout: this.#stdout, stderr: this.#stderr })
        this.#changed.resolve()
      })
    })
  }

  get pid(): number {
    return this.#child.pid ?? -1
  }

  /** Waits until the output matches. @throws Error with the output if the process ends before */
  async said(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.#stdout + this.#stderr)
      if (match !== null) return match
      if (this.#child.exitCode !== null) throw new Error(`ended with ${this.#child.exitCode}:\n${this.#stdout}${this.#stderr}`)
      await this.#changed.promise
    }
  }

  /** Gives it its whole standard input, and waits until it exits. */
  give(input: string | Buffer): Promise<Ended> {
    this.#child.stdin?.end(input)
    return this.ended
  }

  /** Types a text, if the command runs in a terminal. */
  type(text: string): void {
    this.#child.stdin?.write(text)
  }

  kill(signal: NodeJS.Signals): Promise<Ended> {
    this.#child.kill(signal)
    return this.ended
  }

  #add(stream: 'stdout' | 'stderr', chunk: Buffer): void {
    if (stream === 'stdout') this.#stdout += chunk.toString()
    else this.#stderr += chunk.toString()
    this.#changed.resolve()
    this.#changed = Promise.withResolvers()
  }
}
