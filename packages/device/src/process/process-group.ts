import { spawn, type ChildProcess, type SpawnOptions, type StdioOptions } from 'node:child_process'
import { Readable } from 'node:stream'
import { sleep, type Clock } from '@orrery/aip'
import { MARK_VARIABLE, newMark } from './mark.js'
import { systemTool } from './find-program.js'
import { targetsOf } from './started-processes.js'
import { Watchdog } from './watchdog.js'
import { DEVICE_LIMITS } from '../limits.js'

/** How long output may still arrive after a process has ended; only a child in its own session can hold the pipes open. */
const DRAIN = 200

const isWindows = process.platform === 'win32'
const live = new Set<ProcessGroup>()
/** For an end of this process that no `exit` event announces. */
const watchdog = isWindows ? null : new Watchdog()

function killAll(): void {
  for (const group of live) group.kill('SIGKILL')
}

/** How a process ended: its exit code, or the signal that ended it. */
export interface ProcessEnd {
  code: number | null
  signal: NodeJS.Signals | null
}

/** Where a program that leads sessions names them. */
const SESSION_PIPE = 3

/** Most rounds of signals, for programs that keep starting others. */
const ROUNDS = 20

/** How a {@link ProcessGroup} deals with what its program starts. */
export interface GroupOptions {
  /** Its children lead their own sessions, as in a pseudo-terminal; each writes its number as a line on the file descriptor 3. */
  leadsSessions?: boolean | undefined
  /**
   * Whether what has made its own session, as daemons do, ends when the program has ended by itself. Otherwise it keeps running; it still
   * ends with this process, and when the program is ended from here.
   */
  endsDaemons?: boolean | undefined
}

/**
 * A child process and everything that it starts. None of it outlives the group's end (but see {@link GroupOptions}), or this process,
 * however that ends (except on Windows; daemons on Linux only).
 */
export class ProcessGroup {
  readonly child: ChildProcess
  /** Settles when the child has started; rejects with the system's error when it cannot be started. */
  readonly started: Promise<void>
  /** Settles when the child has ended and its output was read. Never rejects. */
  readonly ended: Promise<ProcessEnd>
  /** The session that its program leads in a pseudo-terminal, once it has reported it; null if it has ended before. */
  readonly session: Promise<number | null>
  readonly #named = Promise.withResolvers<number | null>()
  readonly #clock: Clock
  readonly #leadsSessions: boolean
  #endsDaemons: boolean
  readonly #mark = newMark()
  /** Sessions that its children have reported to lead. */
  readonly #sessions = new Set<number>()

  /** Starts a child as the leader of its own process group. `options` are those of `child_process.spawn`. */
  constructor(
    file: string,
    args: readonly string[],
    options: SpawnOptions,
    clock: Clock,
    { leadsSessions = false, endsDaemons = false }: GroupOptions = {},
  ) {
    this.session = this.#named.promise
    this.#clock = clock
    this.#leadsSessions = leadsSessions
    this.#endsDaemons = endsDaemons
    const stdio = leadsSessions ? withSessionPipe(options.stdio) : options.stdio
    const env = { ...(options.env ?? process.env), [MARK_VARIABLE]: this.#mark }
    // Before the child: should this process be killed in between, the helper finds it by its mark.
    watchdog?.start()
    this.child = spawn(file, args, { ...options, env, stdio, detached: !isWindows, windowsHide: true })
    this.started = new Promise((resolve, reject) => {
      this.child.once('spawn', resolve)
      this.child.once('error', reject)
    })
    this.started.catch(() => {})
    this.ended = new Promise((resolve) => {
      this.child.once('exit', (code, signal) => this.#drain({ code, signal }, resolve))
      this.child.once('error', () => {
        if (this.child.pid === undefined) resolve({ code: null, signal: null })
      })
    })
    if (this.child.pid === undefined) return
    if (live.size === 0) process.on('exit', killAll)
    live.add(this)
    watchdog?.add(this.child.pid)
    const named = this.child.stdio[SESSION_PIPE]
    if (leadsSessions && named instanceof Readable) named.setEncoding('latin1').on('data', (text: string) => this.#learn(text))
  }

  /** Signals everything that the program has started; does nothing once it has ended, because its number may belong to others then. */
  kill(signal: NodeJS.Signals): void {
    const { pid } = this.child
    if (pid === undefined || !live.has(this)) return
    this.#endsDaemons = true
    if (isWindows)
      spawn(systemTool('taskkill.exe'), ['/pid', String(pid), '/T', '/F'], { stdio: 'ignore', windowsHide: true }).on(
        'error',
        () => {},
      )
    else this.#signal(pid, signal)
  }

  /** Ends the group: SIGTERM, and SIGKILL after 2 s. Settles when it has ended. */
  async end(): Promise<void> {
    const settled = new AbortController()
    this.kill('SIGTERM')
    void sleep(this.#clock, DEVICE_LIMITS.processEnd, settled.signal).then(() => {
      if (!settled.signal.aborted) this.kill('SIGKILL')
    })
    await this.ended
    settled.abort()
  }

  /** What was started while others were signalled gets its signal in the next round. */
  #signal(leader: number, signal: NodeJS.Signals): void {
    const signalled = new Set<number>()
    const sessions = this.#leadsSessions ? this.#sessions : null
    for (let round = 0; round < ROUNDS; round += 1) {
      const targets = targetsOf({ leader, mark: this.#endsDaemons ? this.#mark : null, sessions }).filter(
        (each) => !signalled.has(each),
      )
      if (targets.length === 0) return
      for (const target of targets) {
        signalled.add(target)
        send(target, signal)
      }
    }
  }

  /** The watchdog must know a session before this process is killed: afterwards it cannot be found out whose it was. */
  #learn(text: string): void {
    for (const word of text.match(/\d+/g) ?? []) {
      if (!live.has(this)) return
      this.#sessions.add(Number(word))
      this.#named.resolve(Number(word))
      watchdog?.add(Number(word))
    }
  }

  /** The leader has ended: what it left behind ends too, and its pipes are closed even if another process still holds them. */
  #drain(end: ProcessEnd, resolve: (end: ProcessEnd) => void): void {
    const { pid } = this.child
    if (!isWindows && pid !== undefined) {
      if (this.#endsDaemons || this.#leadsSessions) this.#signal(pid, 'SIGKILL')
      else send(-pid, 'SIGKILL')
    }
    live.delete(this)
    this.#named.resolve(null)
    for (const each of [pid, ...this.#sessions]) if (each !== undefined) watchdog?.remove(each)
    if (live.size === 0) process.off('exit', killAll)
    const timer = this.#clock.after(DRAIN, () => {
      for (const pipe of this.child.stdio) pipe?.destroy()
    })
    this.child.once('close', () => {
      timer.cancel()
      resolve(end)
    })
  }
}

/** @param target a process, or a process group as a negative number */
function send(target: number, signal: NodeJS.Signals): void {
  try {
    process.kill(target, signal)
  } catch {
    // It has ended.
  }
}

function withSessionPipe(stdio: StdioOptions = 'pipe'): StdioOptions {
  return [...(typeof stdio === 'string' ? [stdio, stdio, stdio] : stdio), 'pipe']
}
