import { describe, expect, it } from 'vitest'
import { FrameSplitter, clientFrame, type Frame } from './frames.js'

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
