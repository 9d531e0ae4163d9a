import { vi } from 'vitest'
import { report } from '../../src/terminal/errors.js'
import { buildProgram } from '../../src/program.js'

/**
 * Runs a command in this process as if it were on a terminal without colours.
 * @returns all that it wrote, and its exit code
 */
export async function onTerminal(...args: string[]): Promise<{ written: string; code: number }> {
  let written = ''
  const write = (chunk: unknown): boolean => {
    written += String(chunk)
    return true
  }
  const code = await captured(args, true, write, write)
  return { written, code }
}

/** Runs a command in this process as if its output went into pipes. @returns all that it wrote, as bytes, and its exit code */
export async function inPipes(...args: string[]): Promise<{ stdout: Buffer; stderr: string; code: number }> {
  const pieces: Buffer[] = []
  let stderr = ''
  const code = await captured(
    args,
    false,
    (chunk) => {
      pieces.push(typeof chunk === 'string' ? Buffer.from(chunk) : Buffer.from(chunk as Uint8Array))
      return true
    },
    (chunk) => {
      stderr += String(chunk)
      return true
    },
  )
  return { stdout: Buffer.concat(pieces), stderr, code }
}

type Write = (chunk: unknown) => boolean

async function captured(args: readonly string[], isTTY: boolean, out: Write, err: Write): Promise<number> {
  vi.stubEnv('FORCE_COLOR', '0')
  vi.spyOn(process.stdout, 'write').mockImplementation(out)
  vi.spyOn(process.stderr, 'write').mockImplementation(err)
  const streams = [process.stdout, process.stderr]
  const before = streams.map((stream) => ({ isTTY: stream.isTTY, columns: stream.columns }))
  for (const stream of streams) Object.assign(stream, { isTTY, columns: 80 })
  try {
    await buildProgram().parseAsync(['node', 'orrery', ...args])
    return Number(process.exitCode ?? 0)
  } catch (error) {
    return report(error)
  } finally {
    process.exitCode = 0
    for (const [index, stream] of streams.entries()) Object.assign(stream, before[index])
    vi.restoreAllMocks()
    vi.unstubAllEnvs()
  }
}
