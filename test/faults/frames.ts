/** One WebSocket frame as it is on the wire. */
export interface Frame {
  bytes: Buffer
  opcode: number
  /** The payload of a text frame, unmasked at each look; null for other frames. */
  readonly text: string | null
}

/** A piece of a frame that is too large to be held back as a whole: its receiver would hear nothing for too long. */
export interface Piece {
  piece: Buffer
  /** Whether its frame ends with it. */
  isLast: boolean
}

/** What a connection is cut into; the HTTP head is a bare buffer. */
export type Part = Buffer | Frame | Piece

/** Larger frames pass in pieces, in bytes. */
const LARGE = 1024 * 1024
/** The opcode of a text frame. */
export const TEXT = 1
const HEAD_END = '\r\n\r\n'

/** Cuts one direction of a WebSocket connection into its HTTP head and its frames. */
export class FrameSplitter {
  #rest: Buffer = Buffer.alloc(0)
  /** What came after the rest; joined only when it may complete something, because a frame of 20 MB comes in hundreds of chunks. */
  #more: Buffer[] = []
  #moreBytes = 0
  #wanted = 0
  /** Bytes that are missing of a frame that passes in pieces. */
  #passing = 0
  #inHead = true

  /** Takes what came in. @returns what is complete now, in order */
  push(chunk: Buffer): Part[] {
    this.#more.push(chunk)
    this.#moreBytes += chunk.length
    if (this.#rest.length + this.#moreBytes < this.#wanted) return []
    this.#rest = Buffer.concat([this.#rest, ...this.#more])
    this.#more = []
    this.#moreBytes = 0
    this.#wanted = 0
    const parts: Part[] = []
    if (this.#inHead) {
      const end = this.#rest.indexOf(HEAD_END)
      if (end < 0) return parts
      parts.push(this.#take(end + HEAD_END.length))
      this.#inHead = false
    }
    for (let part = this.#next(); part !== null; part = this.#next()) parts.push(part)
    return parts
  }

  #next(): Frame | Piece | null {
    const data = this.#rest
    if (this.#passing > 0) return data.length === 0 ? null : this.#piece()
    if (data.length < 2) return null
    const [first = 0, second = 0] = data
    const short = second & 0x7f
    const sizeBytes = short === 126 ? 2 : short === 127 ? 8 : 0
    const masked = second >= 0x80
    const start = 2 + sizeBytes + (masked ? 4 : 0)
    if (data.length < start) return null
    const length = sizeBytes === 0 ? short : sizeBytes === 2 ? data.readUInt16BE(2) : Number(data.readBigUInt64BE(2))
    if (length > LARGE) {
      this.#passing = start + length
      return this.#piece()
    }
    if (data.length < start + length) {
      this.#wanted = start + length
      return null
    }
    const bytes = this.#take(start + length)
    const opcode = first & 0x0f
    return {
      bytes,
      opcode,
      get text() {
        return opcode === TEXT ? textOf(bytes, start, masked) : null
      },
    }
  }

  #piece(): Piece {
    const piece = this.#take(Math.min(this.#passing, this.#rest.length))
    this.#passing -= piece.length
    return { piece, isLast: this.#passing === 0 }
  }

  #take(length: number): Buffer {
    const taken = this.#rest.subarray(0, length)
    this.#rest = this.#rest.subarray(length)
    return taken
  }
}

/** A text frame as a client sends it. */
export function clientFrame(text: string): Buffer {
  const payload = Buffer.from(text)
  const size = payload.length
  const head = size < 126 ? Buffer.from([0x81, 0x80 | size]) : Buffer.alloc(size < 65_536 ? 4 : 10)
  if (size >= 126) {
    head[0] = 0x81
    head[1] = size < 65_536 ? 0xfe : 0xff
    if (size < 65_536) head.writeUInt16BE(size, 2)
    else head.writeBigUInt64BE(BigInt(size), 2)
  }
  // A mask of zeros leaves the payload as it is.
  return Buffer.concat([head, Buffer.alloc(4), payload])
}

function textOf(bytes: Buffer, start: number, masked: boolean): string {
  const payload = Buffer.from(bytes.subarray(start))
  if (masked) {
    const mask = bytes.subarray(start - 4, start)
    for (let index = 0; index < payload.length; index += 1) payload[index] = (payload[index] ?? 0) ^ (mask[index % 4] ?? 0)
  }
  return payload.toString()
}
