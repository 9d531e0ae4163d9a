import { DEVICE_LIMITS } from '../limits.js'
import type { StdioOptions } from 'node:child_process'
import type { Clock } from '@orrery/aip'
import { CappedOutput } from './capped-output.js'
import { ProcessGroup } from './process-group.js'
import { slowOutput } from './slow-output.js'

/** What to run. There is no shell between: `args` reach the program as they are. */
export interface ProcessRequest {
  file: string
  args: readonly string[]
  cwd?: string | undefined
  env: Record<string, string>
  /** Milliseconds. */
  timeoutMs: number
  clock: Clock
  /** Ends the program early. */
  signal?: AbortSignal
  /** What the program reads; default: nothing. */
  stdin?: string | Buffer | undefined
  /** Bytes that are kept of each output stream. Default: `DEVICE_LIMITS.processOutput`. */
  keptOutput?: number
  /** Receives everything that is printed, including what is left out of the outcome. */
  onOutput?: (stream: 'stdout' | 'stderr', chunk: Buffer) => void
  /** See {@link ProcessGroup}. */
  leadsSessions?: boolean
}

/** How a program ended. `exitCode` is `null` when a signal ended it, by itself (`signal`) or at the timeout or the cancellation. */
export interface ProcessOutcome {
  ended: 'exit' | 'signal' | 'timeout' | 'cancelled'
  exitCode: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
  stdoutTruncated: boolean
  stderrTruncated: boolean
}

/**
 * Runs a program until it ends and collects its output. At the timeout, or when the signal aborts, all that it has started is
 * ended and what was printed so far comes back.
 * @throws the system's error when the program cannot be started
 */
export async function runProcess(request: ProcessRequest): Promise<ProcessOutcome> {
  const { file, args, cwd, env, timeoutMs, clock, signal, stdin, onOutput, leadsSessions } = request
  const { keptOutput = DEVICE_LIMITS.processOutput } = request
  const stdio: StdioOptions = [stdin === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe']
  const group = new ProcessGroup(file, args, { cwd, env, stdio }, clock, { leadsSessions })
  const stdout = new CappedOutput(keptOutput)
  const stderr = new CappedOutput(keptOutput)
  group.child.stdout?.on('data', (chunk: Buffer) => {
    stdout.add(chunk)
    onOutput?.('stdout', chunk)
  })
  group.child.stderr?.on('data', (chunk: Buffer) => {
    stderr.add(chunk)
    onOutput?.('stderr', chunk)
  })
  for (const stream of [group.child.stdout, group.child.stderr]) if (stream !== null) slowOutput(stream, clock)
  // A program may end without reading its input.
  group.child.stdin?.on('error', () => {})
  await group.started
  group.child.stdin?.end(stdin)

  const stopped: { why: 'timeout' | 'cancelled' | null } = { why: null }
  const stop = (why: 'timeout' | 'cancelled'): void => {
    if (stopped.why !== null) return
    stopped.why = why
    void group.end()
  }
  const timer = clock.after(timeoutMs, () => stop('timeout'))
  const onAbort = (): void => stop('cancelled')
  signal?.addEventListener('abort', onAbort, { once: true })
  if (signal?.aborted) onAbort()
  try {
    const { code, signal: endedBy } = await group.ended
    return {
      ended: stopped.why ?? (endedBy === null ? 'exit' : 'signal'),
      exitCode: code,
      signal: endedBy,
      stdout: stdout.text(),
      stderr: stderr.text(),
      stdoutTruncated: stdout.truncated,
      stderrTruncated: stderr.truncated,
    }
  } finally {
    timer.cancel()
    signal?.removeEventListener('abort', onAbort)
  }
}
