import type { FileHandle } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { aipError, withTimeLimit, type Clock } from '@orrery/aip'
import { z } from 'zod'
import { plainEnvironment, type Environment } from '../../process/child-environment.js'
import { ProcessGroup } from '../../process/process-group.js'
import { PDF_LIMITS } from './limits.js'

const Answer = z.union([
  z.object({ pages: z.array(z.string()) }),
  z.object({ problem: z.string() }),
  z.object({ tooLarge: z.literal(true) }),
])

/** The messages of Node where memory ends before the reader has noticed. */
const NO_MEMORY = /allocation failed|Invalid (array|string|typed array) length|out of memory/i

/** Sets limits of the system before the program behind it: no core file, and data beyond which it aborts. */
const LIMITED = 'ulimit -c 0; ulimit -d "$1" 2>/dev/null; shift; exec "$@"'

/**
 * The text of a PDF, each page after a line `--- Page N ---`. It is read by a process of its own, whose memory and time are bounded.
 * @throws AipError `TOOL_CANCELLED`, `TIMEOUT`; `INVALID_INPUT` with what is wrong with the file
 */
export async function pdfText(
  file: FileHandle,
  { clock, env, signal }: { clock: Clock; env: Environment; signal: AbortSignal },
): Promise<string> {
  const [program = '', ...args] = command()
  const group = new ProcessGroup(program, args, { env: plainEnvironment(env), stdio: [file.fd, 'pipe', 'ignore'] }, clock)
  try {
    await group.started
    const { stdout } = group.child
    if (stdout === null) throw new Error('the reader has no output')
    const limits = { clock, ms: PDF_LIMITS.time, operation: 'Reading the PDF', signal }
    return textOf(await withTimeLimit(text(stdout), limits))
  } finally {
    group.kill('SIGKILL')
    await group.ended
  }
}

function command(): string[] {
  // Tests run the sources.
  const ending = import.meta.url.endsWith('.ts') ? '.ts' : '.js'
  const [reader, worker] = ['pdf-reader', 'pdf-worker'].map((name) => new URL(`./${name}${ending}`, import.meta.url))
  if (reader === undefined || worker === undefined) throw new Error('the reader has no address')
  const numbers = [PDF_LIMITS.text, PDF_LIMITS.memory, PDF_LIMITS.look].map(String)
  const node = [process.execPath, fileURLToPath(reader), worker.href, ...numbers]
  const data = (PDF_LIMITS.memory + PDF_LIMITS.reserved) * 1024
  return process.platform === 'win32' ? node : ['/bin/sh', '-c', LIMITED, 'sh', String(data), ...node]
}

/** @param printed what the reader has said; nothing if it was aborted */
function textOf(printed: string): string {
  const answer = printed === '' ? { tooLarge: true as const } : Answer.parse(JSON.parse(printed))
  if ('tooLarge' in answer || ('problem' in answer && NO_MEMORY.test(answer.problem)))
    throw aipError('INVALID_INPUT', { detail: `to read it takes more than ${PDF_LIMITS.memory} MiB of memory` })
  if ('problem' in answer) throw aipError('INVALID_INPUT', { detail: answer.problem })
  const all = answer.pages.map((page, index) => `--- Page ${index + 1} ---\n${page}\n`).join('\n')
  return all.length > PDF_LIMITS.text ? `${all.slice(0, PDF_LIMITS.text)}\n… the rest is left out …` : all
}
