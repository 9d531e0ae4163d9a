import { spawn, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

const SCRIPT = fileURLToPath(new URL('appender.mjs', import.meta.url))

/** A process that keeps appending to a log, and reports one line of JSON for each thing that happens. */
export interface Appender {
  process: ChildProcess
  reports: AsyncIterator<unknown>
}

/**
 * Starts one, which ends with the test at the latest.
 * @param fileBlocks largest file it may write, in blocks of the shell's `ulimit -f`
 */
export function startAppender(path: string, options: { durability?: string; fileBlocks?: number } = {}): Appender {
  const { durability = 'normal', fileBlocks } = options
  const command = [process.execPath, SCRIPT, path, durability]
  const limited = ['sh', '-c', `ulimit -S -f ${fileBlocks}; exec "$@"`, 'sh', ...command]
  const [file = '', ...args] = fileBlocks === undefined ? command : limited
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = new Promise((resolve) => child.once('close', resolve))
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await ended
  })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const reports = {
    next: async () => {
      const { value, done } = await lines.next()
      return done === true ? { value: undefined, done: true as const } : { value: JSON.parse(value) as unknown }
    },
  }
  return { process: child, reports }
}

/** Kills it as `kill -9` does, and waits until it is gone. */
export async function kill({ process: child }: Appender): Promise<void> {
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await ended
}
