import { Result } from '@orrery/aip'
import type { OrreryApi } from '@orrery/constellation'
import type { ProgramOutcome } from '../results/program-outcome.js'

/** Bytes that are read at a time, the most that the tool returns. */
const PIECE = 1024 * 1024

/**
 * Yields an output of a program, whole. Of a long one the device has returned the head and the tail; the whole is read from it.
 * @returns whether it is whole: the device may have dropped a part, or may not have it any longer
 */
export async function* wholeOutput(
  api: OrreryApi,
  device: string,
  program: ProgramOutcome,
  name: 'stdout' | 'stderr',
): AsyncGenerator<string | Uint8Array, boolean, void> {
  const id = program.outputs[name]
  if (id === null) {
    yield program[name]
    return !program.cut.includes(name)
  }
  let whole = true
  for (let offset = 0; ;) {
    const piece = await readPiece(api, device, id, offset)
    if (piece === null && offset === 0) yield program[name]
    if (piece === null) return false
    if (piece.bytes.length > 0) yield piece.bytes
    whole &&= piece.dropped === 0
    offset = piece.next
    if (piece.bytes.length === 0 || offset >= piece.size) return whole
  }
}

async function readPiece(
  api: OrreryApi,
  device: string,
  id: string,
  offset: number,
): Promise<{ bytes: Buffer; next: number; size: number; dropped: number } | null> {
  const parameters = { id, offset, limit: PIECE, encoding: 'base64' }
  const { results } = await api.devices.runCommands(device, {
    commands: [{ tool_name: 'read_output', parameters }],
    concurrent: true,
  })
  const [result] = Result.array().parse(results)
  if (result?.status !== 'success' || typeof result.result !== 'object' || result.result === null) return null
  const { content, next_offset: next, size, dropped }: Record<string, unknown> = { ...result.result }
  if (typeof content !== 'string' || typeof next !== 'number' || typeof size !== 'number') return null
  return { bytes: Buffer.from(content, 'base64'), next, size, dropped: typeof dropped === 'number' ? dropped : 0 }
}
