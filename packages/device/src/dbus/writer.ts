import { alignmentOf, completeTypes } from './signature.js'

/** A value together with its type: the type `v`. */
export class Variant {
  readonly signature: string
  readonly value: unknown

  constructor(signature: string, value: unknown) {
    this.signature = signature
    this.value = value
  }
}

/** Writes values as D-Bus has them, little-endian: bytes, booleans, 32-bit numbers, texts, variants, and lists and structs of them. */
export class Writer {
  readonly #chunks: Buffer[] = []
  #length = 0

  /** @throws TypeError if the values are not of these types */
  write(signature: string, values: readonly unknown[]): this {
    const types = completeTypes(signature)
    if (types.length !== values.length) throw new TypeError(`${values.length} values do not fit the signature ${signature}`)
    for (const [index, type] of types.entries()) this.#value(type, values[index])
    return this
  }

  /** Fills up with zeros to a multiple of `size`. */
  align(size: number): this {
    const missing = (size - (this.#length % size)) % size
    if (missing > 0) this.#put(Buffer.alloc(missing))
    return this
  }

  bytes(): Buffer {
    return Buffer.concat(this.#chunks)
  }

  #value(type: string, value: unknown): void {
    this.align(alignmentOf(type))
    if (type === 'v' && value instanceof Variant) return void this.#text(1, value.signature).write(value.signature, [value.value])
    if (type[0] === 'a' && Array.isArray(value)) return this.#list(type.slice(1), value)
    if (type[0] === '(' && Array.isArray(value)) return void this.write(type.slice(1, -1), value)
    if (type === 'b' && typeof value === 'boolean') return this.#number(4, Number(value))
    if (typeof value === 'number' && 'yiu'.includes(type)) return this.#number(type === 'y' ? 1 : 4, value)
    if (typeof value === 'string' && 'sog'.includes(type)) return void this.#text(type === 'g' ? 1 : 4, value)
    throw new TypeError(`A value does not fit the D-Bus type ${type}`)
  }

  /** A text, after its length and before a zero. */
  #text(sizeOfLength: 1 | 4, text: string): this {
    const bytes = Buffer.from(`${text}\0`)
    this.#number(sizeOfLength, bytes.length - 1)
    this.#put(bytes)
    return this
  }

  #list(type: string, values: readonly unknown[]): void {
    const length = Buffer.alloc(4)
    this.#put(length)
    this.align(alignmentOf(type))
    const start = this.#length
    for (const value of values) this.#value(type, value)
    length.writeUInt32LE(this.#length - start)
  }

  #number(size: 1 | 4, value: number): void {
    const bytes = Buffer.alloc(size)
    if (size === 1) bytes.writeUInt8(value)
    else if (value < 0) bytes.writeInt32LE(value)
    else bytes.writeUInt32LE(value)
    this.#put(bytes)
  }

  #put(bytes: Buffer): void {
    this.#chunks.push(bytes)
    this.#length += bytes.length
  }
}
