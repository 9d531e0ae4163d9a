import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

const SCRIPT = fileURLToPath(new URL('transfer-peer.mjs', import.meta.url))

/** What one end of a transfer tells at its end. */
export interface TransferReport {
  size: number
  checksum: string
  /** Bytes that the process grew by while it transferred. */
  grownBy: number
}

/** Starts one end of a transfer as a process, which ends with the test at the latest; gives each line that it prints. */
export function startTransferPeer(
  ...args: ['receive', path: string] | ['send', path: string, url: string]
): () => Promise<unknown> {
  const child = spawn(process.execPath, [SCRIPT, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = new Promise((resolve) => child.once('close', resolve))
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await ended
  })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return async () => {
    const { value, done } = await lines.next()
    if (done === true) throw new Error(`the ${args[0]}ing process ended early`)
    return JSON.parse(value) as unknown
  }
}
