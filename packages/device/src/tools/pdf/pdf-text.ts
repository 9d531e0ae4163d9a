import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { aipError, withTimeLimit, type Clock } from '@orrery/aip'
import { z } from 'zod'
import { PDF_LIMITS } from './limits.js'

/** Tests run the sources. */
const WORKER = new URL(import.meta.url.endsWith('.ts') ? './pdf-worker.ts' : './pdf-worker.js', import.meta.url)
const Answer = z.union([z.object({ pages: z.array(z.string()) }), z.object({ problem: z.string() })])

/**
 * The text of a PDF, each page after a line `--- Page N ---`.
 * @param bytes of the file; they are moved to the worker and empty afterwards
 * @throws AipError `TOOL_CANCELLED`, `TIMEOUT`; Error with what is wrong with the file
 */
export async function pdfText(bytes: Uint8Array<ArrayBuffer>, clock: Clock, signal: AbortSignal): Promise<string> {
  const worker = new Worker(WORKER, {
    workerData: bytes,
    transferList: [bytes.buffer],
    resourceLimits: { maxOldGenerationSizeMb: PDF_LIMITS.memory },
    // What the library reports about fonts does not matter here.
    stdout: true,
    stderr: true,
  })
  try {
    const limits = { clock, ms: PDF_LIMITS.time, operation: 'Reading the PDF', signal }
    const [message]: unknown[] = await withTimeLimit(once(worker, 'message'), limits)
    const answer = Answer.parse(message)
    if ('problem' in answer) throw aipError('INVALID_INPUT', { detail: answer.problem })
    const text = answer.pages.map((page, index) => `--- Page ${index + 1} ---\n${page}\n`).join('\n')
    return text.length > PDF_LIMITS.text ? `${text.slice(0, PDF_LIMITS.text)}\n… the rest is left out …` : text
  } finally {
    await worker.terminate()
  }
}
