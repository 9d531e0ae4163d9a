/** One WebSocket frame as it is on the wire. */
export interface Frame {
  bytes: Buffer
  opcode: number
  /** The payload of a text frame, unmasked; null for other frames. */
  text: string | null
}

const TEXT = 1
const HEAD_END = '\r\n\r\n'

/** Cuts one direction of a WebSocket connection into its HTTP head and its frames. */
export class FrameSplitter {
  #rest: Buffer = Buffer.alloc(0)
  #inHead = true

  /** Takes what came in. @returns what is complete now, in order; the head is a bare buffer */
  push(chunk: Buffer): (Buffer | Frame)[] {
    this.#rest = Buffer.concat([this.#rest, chunk])
    const parts: (Buffer | Frame)[] = []
    if (this.#inHead) {
      const end = this.#rest.indexOf(HEAD_END)
      if (end < 0) return parts
      parts.push(this.#take(end + HEAD_END.length))
      this.#inHead = false
    }
    for (let frame = this.#frame(); frame !== null; frame = this.#frame()) parts.push(frame)
    return parts
  }

  #frame(): Frame | null {
    const data = this.#rest
    if (data.length < 2) return null
    const [first = 0, second = 0] = data
    const short = second & 0x7f
    const sizeBytes = short === 126 ? 2 : short === 127 ? 8 : 0
    const masked = second >= 0x80
    const start = 2 + sizeBytes + (masked ? 4 : 0)
    if (data.length < start) return null
    const length = sizeBytes === 0 ? short : sizeBytes === 2 ? data.readUInt16BE(2) : Number(data.readBigUInt64BE(2))
    if (data.length < start + length) return null
    const bytes = this.#take(start + length)
    const opcode = first & 0x0f
    return { bytes, opcode, text: opcode === TEXT ? textOf(bytes, start, masked) : null }
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
