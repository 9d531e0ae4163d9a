import { z } from 'zod'
import { Reader } from './reader.js'
import { Variant, Writer } from './writer.js'
import { DEVICE_LIMITS } from '../limits.js'

/** A call of a method. */
export interface MethodCall {
  destination: string
  path: string
  interface: string
  member: string
  /** Types of `body`; default: none. */
  signature?: string
  body?: readonly unknown[]
}

/** An answer to a call. */
export interface Answer {
  /** The serial of the call. */
  to: number
  /** Name of an error; null for a result. */
  error: string | null
  body: unknown[]
}

const METHOD_CALL = 1
const METHOD_RETURN = 2
const ERROR = 3
const FIELD = { path: 1, interface: 2, member: 3, error: 4, replyTo: 5, destination: 6, signature: 8 } as const
/** The part of a message whose length is known beforehand. */
const START = 16

/** The bytes of a call. @param serial its number, over 0 */
export function encodeCall(call: MethodCall, serial: number): Buffer {
  const { signature = '', body = [] } = call
  const content = new Writer().write(signature, body).bytes()
  const fields = [
    [FIELD.path, new Variant('o', call.path)],
    [FIELD.destination, new Variant('s', call.destination)],
    [FIELD.interface, new Variant('s', call.interface)],
    [FIELD.member, new Variant('s', call.member)],
    ...(signature === '' ? [] : [[FIELD.signature, new Variant('g', signature)]]),
  ]
  const header = new Writer().write('yyyyuua(yv)', ['l'.charCodeAt(0), METHOD_CALL, 0, 1, content.length, serial, fields])
  return Buffer.concat([header.align(8).bytes(), content])
}

/** The length of the message that begins here in bytes; null if too little of it has come. @throws Error if it cannot be read */
export function messageLength(bytes: Buffer): number | null {
  if (bytes.length < START) return null
  if (bytes[0] !== 'l'.charCodeAt(0)) throw new Error('only little-endian messages can be read')
  const header = START + bytes.readUInt32LE(12)
  const length = header + ((8 - (header % 8)) % 8) + bytes.readUInt32LE(4)
  if (length > DEVICE_LIMITS.dbusMessage) throw new Error(`a message has ${length} bytes`)
  return length
}

const Header = z.tuple([
  z.number(),
  z.number(),
  z.number(),
  z.number(),
  z.number(),
  z.number(),
  z.array(z.tuple([z.number(), z.unknown()])),
])

/** Reads a whole message. @returns null if it is not an answer. @throws Error if it is malformed */
export function decodeAnswer(bytes: Buffer): Answer | null {
  const reader = new Reader(bytes)
  const [, type, , , , , list] = Header.parse(reader.read('yyyyuua(yv)'))
  if (type !== METHOD_RETURN && type !== ERROR) return null
  reader.align(8)
  const fields = new Map(list)
  const signature = fields.get(FIELD.signature)
  const error = fields.get(FIELD.error)
  return {
    to: Number(fields.get(FIELD.replyTo)),
    error: type === ERROR ? String(error) : null,
    body: reader.read(typeof signature === 'string' ? signature : ''),
  }
}
