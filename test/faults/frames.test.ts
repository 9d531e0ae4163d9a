import { describe, expect, it } from 'vitest'
import { FrameSplitter, clientFrame, type Part } from './frames.js'

describe('the frames of a connection', () => {
  it('are found wherever the pieces of data are cut', () => {
    const texts = ['a', 'b'.repeat(200), 'ü'.repeat(33_000)]
    const head = Buffer.from('GET /ws HTTP/1.1\r\n\r\n')
    const stream = Buffer.concat([head, ...texts.map(clientFrame)])
    for (const size of [61, 1000, stream.length]) {
      const splitter = new FrameSplitter()
      const parts: Part[] = []
      for (let at = 0; at < stream.length; at += size) parts.push(...splitter.push(stream.subarray(at, at + size)))
      expect(parts[0]).toEqual(head)
      expect(parts.slice(1).map((part) => ('text' in part ? part.text : null))).toEqual(texts)
    }
  })

  it('pass in pieces where they are large', () => {
    const [small, large] = [clientFrame('a'), clientFrame('b'.repeat(3_000_000))]
    const stream = Buffer.concat([Buffer.from('GET /ws HTTP/1.1\r\n\r\n'), small, large, small])
    const splitter = new FrameSplitter()
    const parts: Part[] = []
    for (let at = 0; at < stream.length; at += 65_536) parts.push(...splitter.push(stream.subarray(at, at + 65_536)))
    const pieces = parts.flatMap((part) => ('piece' in part ? [part] : []))
    expect(pieces.length).toBeGreaterThan(40)
    expect(Buffer.concat(pieces.map(({ piece }) => piece)).equals(large)).toBe(true)
    expect(pieces.map(({ isLast }) => isLast).indexOf(true)).toBe(pieces.length - 1)
    expect(parts.at(-1)).toMatchObject({ text: 'a' })
  })
})
