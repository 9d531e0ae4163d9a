// Reads one PDF in a separate thread, because a large one keeps a thread busy for seconds.
import { parentPort, workerData } from 'node:worker_threads'
import { extractText, getDocumentProxy } from 'unpdf'

async function read(): Promise<{ pages: string[] } | { problem: string }> {
  try {
    const data: unknown = workerData
    if (!(data instanceof Uint8Array)) return { problem: 'no data' }
    const document = await getDocumentProxy(data, { verbosity: 0 })
    return { pages: (await extractText(document, { mergePages: false })).text }
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) }
  }
}

// A port between threads has no origin, unlike a window.
// oxlint-disable-next-line unicorn/require-post-message-target-origin
parentPort?.postMessage(await read())
