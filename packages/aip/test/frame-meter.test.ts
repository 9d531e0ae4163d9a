import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FrameMeter } from '../src/node/frame-meter.js'

interface Frame {
  opcode: number
  fin: boolean
  masked: boolean
  length: number
}

const control = fc.record({
  opcode: fc.constantFrom(8, 9, 10),
  fin: fc.constant(true),
  masked: fc.boolean(),
  length: fc.nat(125),
})
const data = fc.record({
  opcode: fc.constantFrom(0, 1, 2),
  fin: fc.boolean(),
  masked: fc.boolean(),
  length: fc.oneof(fc.nat(130), fc.integer({ min: 65_500, max: 65_600 })),
})

function bytesOf({ opcode, fin, masked, length }: Frame): Buffer {
  const head = [(fin ? 0x80 : 0) | opcode]
  const mask = masked ? 0x80 : 0
  if (length < 126) head.push(mask | length)
  else if (length < 65_536) head.push(mask | 126, length >> 8, length & 0xff)
  else head.push(mask | 127, 0, 0, 0, 0, 0, length >> 16, (length >> 8) & 0xff, length & 0xff)
  // Payload that looks like headers.
  return Buffer.concat([Buffer.from(head), Buffer.alloc(masked ? 4 : 0, 0xff), Buffer.alloc(length, 0x81)])
}

class SeenFrames extends FrameMeter {
  readonly lengths: number[] = []

  protected frameBegins(bytes: number): void {
    this.lengths.push(bytes)
  }
}

describe('a frame meter', () => {
  it('tells the length of every frame, and whether a message is unfinished, however the bytes are cut', () => {
    const frames = fc.array(fc.oneof(control, data), { maxLength: 8 })
    fc.assert(
      fc.property(frames, fc.array(fc.nat(70_000)), (sent, cuts) => {
        const meter = new SeenFrames()
        let open = false
        let message = 0
        for (const frame of sent) {
          const bytes = bytesOf(frame)
          const places = [...new Set(cuts.map((cut) => cut % bytes.length)), bytes.length].sort((a, b) => a - b)
          let from = 0
          for (const to of places) {
            meter.feed(bytes.subarray(from, to))
            if (to > 0 && to < bytes.length) expect(meter.isUnfinished).toBe(true)
            from = to
          }
          if (frame.opcode < 8) {
            open = !frame.fin
            message = open ? message + frame.length : 0
          }
          expect(meter.messageBytes).toBe(message)
          expect(meter.isUnfinished).toBe(open)
        }
        expect(meter.lengths).toEqual(sent.map(({ length }) => length))
        expect(meter.dataBytes).toBe(sent.reduce((sum, { opcode, length }) => sum + (opcode < 8 ? length : 0), 0))
      }),
    )
  })
})
