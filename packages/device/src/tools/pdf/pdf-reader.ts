// A process that reads one PDF from its standard input and prints the answer of its worker as JSON. A PDF may unfold to any size; what it
// takes of the memory ends with this process. Arguments: the module of the worker, the characters that are wanted, the memory in MiB, and
// the milliseconds between two looks at it.
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { Worker } from 'node:worker_threads'

/** Waits until all of it is written. */
function answerWith(answer: unknown): void {
  writeFileSync(1, JSON.stringify(answer))
}

const [worker = '', room = '', memory = '', look = ''] = process.argv.slice(2)
const bytes = Number(memory) * 1024 * 1024

const thread = new Worker(new URL(worker), {
  workerData: Number(room),
  resourceLimits: { maxOldGenerationSizeMb: Number(memory) },
  // What the library reports about fonts does not matter here.
  stdout: true,
  stderr: true,
})
const watch = setInterval(() => {
  if (process.memoryUsage.rss() <= bytes) return
  clearInterval(watch)
  answerWith({ tooLarge: true })
  process.kill(process.pid, 'SIGKILL')
}, Number(look))
const [answer]: unknown[] = await once(thread, 'message')
clearInterval(watch)
answerWith(answer)
process.exit(0)
