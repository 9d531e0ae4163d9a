import { describe, expect, it } from 'vitest'
import { FrameSplitter, clientFrame, type Frame } from './frames.js'
import { canFillDisks } from './disk.js'
import { KIND_NAMES } from './kinds.js'
import { planFaults } from './plan.js'
import { findingsOf } from './report.js'
import { runFaults } from './run-faults.js'

describe('injected faults', () => {
  it('200 of them lose nothing, run nothing twice and answer nobody with what is not theirs', { timeout: 240_000 }, async () => {
    const kinds = canFillDisks() ? KIND_NAMES : KIND_NAMES.filter((kind) => !kind.endsWith('disk-full'))
    const { book } = await runFaults({ count: 200, seed: 7, devices: 8, kinds })
    expect(book.findings.length, findingsOf(book).join('\n')).toBe(0)
    expect(book.injected.length).toBeGreaterThan(180)
    expect(book.injected.filter(({ duringCommand }) => duringCommand).length).toBeGreaterThan(book.injected.length / 3)
  })

  it('are the same for the same seed', () => {
    const options = { count: 50, seed: 3, devices: 4 }
    expect(planFaults(options)).toEqual(planFaults(options))
    expect(planFaults({ ...options, seed: 4 })).not.toEqual(planFaults(options))
  })
})

describe('the frames of a connection', () => {
  it('are found wherever the pieces of data are cut', () => {
    const texts = ['a', 'b'.repeat(200), 'ü'.repeat(33_000)]
    const head = Buffer.from('GET /ws HTTP/1.1\r\n\r\n')
    const stream = Buffer.concat([head, ...texts.map(clientFrame)])
    for (const size of [61, 1000, stream.length]) {
      const splitter = new FrameSplitter()
      const parts: (Buffer | Frame)[] = []
      for (let at = 0; at < stream.length; at += size) parts.push(...splitter.push(stream.subarray(at, at + size)))
      expect(parts[0]).toEqual(head)
      expect(parts.slice(1).map((part) => ('text' in part ? part.text : null))).toEqual(texts)
    }
  })
})
