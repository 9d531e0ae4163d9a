import { alignmentOf, completeTypes } from './signature.js'

/** Reads what D-Bus writes, little-endian. A variant is its value, a dictionary a list of pairs; 64-bit numbers are bigints. */
export class Reader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  /** @throws RangeError if there are too few bytes */
  read(signature: string): unknown[] {
    return completeTypes(signature).map((type) => this.#value(type))
  }

  align(size: number): void {
    this.#at += (size - (this.#at % size)) % size
  }

  #value(type: string): unknown {
    this.align(alignmentOf(type))
    switch (type.charAt(0)) {
      case 'y':
        return this.#bytes.readUInt8(this.#pass(1))
      case 'n':
        return this.#bytes.readInt16LE(this.#pass(2))
      case 'q':
        return this.#bytes.readUInt16LE(this.#pass(2))
      case 'i':
        return this.#bytes.readInt32LE(this.#pass(4))
      case 'b':
        return this.#length() !== 0
      case 'x':
        return this.#bytes.readBigInt64LE(this.#pass(8))
      case 't':
        return this.#bytes.readBigUInt64LE(this.#pass(8))
      case 'd':
        return this.#bytes.readDoubleLE(this.#pass(8))
      case 's':
      case 'o':
        return this.#text(this.#length())
      case 'g':
        return this.#text(this.#bytes.readUInt8(this.#pass(1)))
      case 'v':
        return this.read(this.#text(this.#bytes.readUInt8(this.#pass(1))))[0]
      case '(':
      case '{':
        return this.read(type.slice(1, -1))
      case 'a':
        return this.#list(type.slice(1))
      default:
        return this.#length()
    }
  }

  #list(type: string): unknown[] {
    const length = this.#length()
    this.align(alignmentOf(type))
    const end = this.#at + length
    if (end > this.#bytes.length) throw new RangeError('A D-Bus message is cut off')
    const values: unknown[] = []
    while (this.#at < end) values.push(this.#value(type))
    return values
  }

  #length(): number {
    return this.#bytes.readUInt32LE(this.#pass(4))
  }

  #text(length: number): string {
    const start = this.#pass(length + 1)
    return this.#bytes.toString('utf8', start, start + length)
  }

  #pass(size: number): number {
    const start = this.#at
    this.#at += size
    return start
  }
}
