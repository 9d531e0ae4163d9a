// Reads the PDF on the standard input, in a thread of the reader (`pdf-reader.ts`).
import { readFileSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import { getDocumentProxy } from 'unpdf'

/** @param room characters that are wanted at most: what comes after them is not unfolded */
async function read(room: number): Promise<{ pages: string[] } | { problem: string }> {
  try {
    const document = await getDocumentProxy(new Uint8Array(readFileSync(0)), { verbosity: 0 })
    const pages: string[] = []
    // One after the other: each page holds what it unfolds to until it is read.
    for (let number = 1; number <= document.numPages && room >= 0; number += 1) {
      const page = await document.getPage(number)
      const { items } = await page.getTextContent()
      const text = items.map((item) => ('str' in item ? item.str + (item.hasEOL ? '\n' : '') : '')).join('')
      pages.push(text.slice(0, room + 1))
      room -= text.length
      page.cleanup()
    }
    return { pages }
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) }
  }
}

// A port between threads has no origin, unlike a window.
// oxlint-disable-next-line unicorn/require-post-message-target-origin
parentPort?.postMessage(await read(Number(workerData)))
