import type { Image } from './conversation.js'

/** Characters of base64 in which the size of an image is looked for. */
const HEAD = 64 * 1024

/** Returns the longer side of an image in pixels, as its own first bytes say; null if they do not. */
export function longerSide({ data }: Image): number | null {
  const bytes = Buffer.from(data.slice(0, HEAD), 'base64')
  const size = pngSize(bytes) ?? gifSize(bytes) ?? jpegSize(bytes)
  return size === null ? null : Math.max(...size)
}

function pngSize(bytes: Buffer): [number, number] | null {
  if (bytes.length < 24 || bytes.toString('latin1', 1, 4) !== 'PNG') return null
  return [bytes.readUInt32BE(16), bytes.readUInt32BE(20)]
}

function gifSize(bytes: Buffer): [number, number] | null {
  if (bytes.length < 10 || bytes.toString('latin1', 0, 3) !== 'GIF') return null
  return [bytes.readUInt16LE(6), bytes.readUInt16LE(8)]
}

/** The size is in the first segment that begins a frame (SOF0 to SOF15, without the tables DHT, JPG and DAC). */
function jpegSize(bytes: Buffer): [number, number] | null {
  if (bytes.length < 4 || bytes.readUInt16BE(0) !== 0xffd8) return null
  for (let at = 2; at + 9 < bytes.length && bytes[at] === 0xff; at += 2 + bytes.readUInt16BE(at + 2)) {
    const marker = bytes[at + 1] ?? 0
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)
    if (isFrame) return [bytes.readUInt16BE(at + 7), bytes.readUInt16BE(at + 5)]
  }
  return null
}
