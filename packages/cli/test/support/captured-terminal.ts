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
  vi.stubEnv('FORCE_COLOR', '0')
  vi.spyOn(process.stdout, 'write').mockImplementation(write)
  vi.spyOn(process.stderr, 'write').mockImplementation(write)
  const streams = [process.stdout, process.stderr]
  const before = streams.map(({ isTTY, columns }) => ({ isTTY, columns }))
  for (const stream of streams) Object.assign(stream, { isTTY: true, columns: 80 })
  try {
    await buildProgram().parseAsync(['node', 'orrery', ...args])
    return { written, code: Number(process.exitCode ?? 0) }
  } catch (error) {
    const code = report(error)
    return { written, code }
  } finally {
    process.exitCode = 0
    for (const [index, stream] of streams.entries()) Object.assign(stream, before[index])
    vi.restoreAllMocks()
    vi.unstubAllEnvs()
  }
}
