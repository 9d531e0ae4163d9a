import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { buildMessage, decodeClientMessage, decodeServerMessage, encodeMessage, type Dialect } from '../src/codec.js'
import { AipError } from '../src/define-errors.js'
import type { MessageRecord } from '../src/messages/record.js'
import { RECORDS, fieldsOf } from './support/messages.js'

const NAMED = RECORDS.map((record) => [record.name, record] as const)

function decoderOf(record: MessageRecord) {
  return record.direction === 'to_server' ? decodeClientMessage : decodeServerMessage
}

/** Reads as a server and as a client; anything but INVALID_MESSAGE escapes and fails the property. */
function read(data: string | Uint8Array): void {
  for (const decode of [decodeClientMessage, decodeServerMessage]) {
    try {
      decode(data)
    } catch (error) {
      if (!(error instanceof AipError) || error.code !== 'INVALID_MESSAGE') throw error
    }
  }
}

describe('any valid message', () => {
  it.each(NAMED)('%s survives encoding and decoding in both dialects', (_, record) => {
    fc.assert(
      fc.property(fieldsOf(record), fc.constantFrom<Dialect>('wire', 'documented'), fc.boolean(), (fields, dialect, asBytes) => {
        const outgoing = buildMessage(record, fields, 0)
        const frame = encodeMessage(outgoing, dialect)
        const decoded = decoderOf(record)(asBytes ? Buffer.from(frame) : frame)
        expect(decoded).toStrictEqual({ message: { ...fields, type: record.type }, dialect })
      }),
      { numRuns: 60 },
    )
  })
})

/** A frame with something cut out, doubled or replaced. */
const mutated = fc
  .constantFrom(...RECORDS)
  .chain((record) => fieldsOf(record).map((fields) => encodeMessage(buildMessage(record, fields, 0))))
  .chain((frame) =>
    fc.record({
      frame: fc.constant(frame),
      at: fc.nat(frame.length),
      cut: fc.nat(20),
      put: fc.string({ unit: 'binary', maxLength: 6 }),
    }),
  )
  .map(({ frame, at, cut, put }) => frame.slice(0, at) + put + frame.slice(at + cut))

/** A frame whose fields hold anything. */
const wrong = fc.constantFrom(...RECORDS).chain((record) =>
  fc
    .record(Object.fromEntries(Object.keys(record.schema.shape).map((name) => [name, fc.jsonValue({ maxDepth: 3 })])), {
      requiredKeys: [],
    })
    .map((fields) => JSON.stringify({ ...fields, type: record.type })),
)

describe('no input throws anything but INVALID_MESSAGE', () => {
  it.each([
    ['a random string', fc.string({ unit: 'binary' })],
    ['random JSON', fc.json()],
    [
      'random JSON behind a known type',
      fc.jsonValue().map((value) => JSON.stringify({ type: 'command_results', action_results: [value], actions: [value] })),
    ],
    ['a valid frame with a defect', mutated],
    ['a frame whose fields hold anything', wrong],
    ['random bytes', fc.uint8Array({ maxLength: 300 })],
    [
      'a valid frame with defects in its bytes',
      fc.tuple(mutated, fc.uint8Array({ maxLength: 4 })).map(([text, tail]) => Buffer.concat([Buffer.from(text), tail])),
    ],
  ] as [string, fc.Arbitrary<string | Uint8Array>][])('%s', (_, input) => {
    fc.assert(fc.property(input, read), { numRuns: 300 })
  })
})
