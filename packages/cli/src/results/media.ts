import { extname } from 'node:path'

/** Bytes in a result. */
export interface Media {
  bytes: Buffer
  /** MIME type. */
  type: string
  /** The file on the device that has them. */
  path?: string
}

const TYPES: Readonly<Record<string, string>> = {
  '.gif': 'image/gif',
  '.jpeg': 'image/jpeg',
  '.jpg': 'image/jpeg',
  '.pdf': 'application/pdf',
  '.png': 'image/png',
  '.webp': 'image/webp',
  '.zip': 'application/zip',
}

/** Returns the bytes of a data URI, as existing screenshot tools return pictures; null for any other text. */
export function dataUri(text: string): Media | null {
  const match = /^data:([\w.+-]+\/[\w.+-]+)?(?:;[\w-]+=[^;,]*)*;base64,([A-Za-z0-9+/=\s]*)$/.exec(text)
  if (match === null) return null
  return { bytes: Buffer.from(match[2] ?? '', 'base64'), type: match[1] ?? 'application/octet-stream' }
}

/** Returns the bytes of an item of MCP content: a picture, a sound or an embedded file; null for text. */
export function contentMedia(item: Readonly<Record<string, unknown>>): Media | null {
  const { type, data, mimeType, resource } = item
  if ((type === 'image' || type === 'audio') && typeof data === 'string')
    return { bytes: Buffer.from(data, 'base64'), type: typeof mimeType === 'string' ? mimeType : `${type}/*` }
  if (type !== 'resource' || typeof resource !== 'object' || resource === null) return null
  const { blob, mimeType: kind, uri }: Record<string, unknown> = { ...resource }
  if (typeof blob !== 'string') return null
  return {
    bytes: Buffer.from(blob, 'base64'),
    type: typeof kind === 'string' ? kind : 'application/octet-stream',
    ...(typeof uri === 'string' ? { path: uri } : {}),
  }
}

/** Returns the bytes of a part of a file that a tool returns as base64; null for text. */
export function fileMedia(value: Readonly<Record<string, unknown>>): Media | null {
  const { encoding, content, path } = value
  if (encoding !== 'base64' || typeof content !== 'string') return null
  const bytes = Buffer.from(content, 'base64')
  if (typeof path !== 'string') return { bytes, type: 'application/octet-stream' }
  return { bytes, path, type: TYPES[extname(path).toLowerCase()] ?? 'application/octet-stream' }
}
