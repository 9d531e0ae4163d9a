import type { Result } from '@orrery/aip'
import type { CallOutcome, Image } from './conversation.js'
import { jsonText } from './json-text.js'
import { programFailure } from '../program-outcome.js'
import { Untrusted } from './untrusted.js'
import { SERVER_LIMITS } from '../../limits.js'

const DATA_URI = /^data:(image\/[\w.+-]+);base64,([A-Za-z0-9+/=\s]+)$/

/** Returns what the model sees of a result. */
export function outcomeOf(callId: string, tool: string, result: Result): CallOutcome {
  const failed = programFailure(result)
  const status = result.status === 'skipped' ? 'skipped' : result.status === 'success' && failed === null ? 'success' : 'failure'
  const images: Image[] = []
  const parts = [result.error ?? failed ?? '', textIn(result.result, images) ?? '']
  return { callId, tool, status, text: Untrusted.lines(parts).shortened(SERVER_LIMITS.modelResult), images }
}

/** Converts a result to text, and moves its images into the list. */
function textIn(value: unknown, images: Image[]): string | null {
  if (value === null || value === undefined) return null
  const image = imageOf(value)
  if (image !== null) return place(image, images)
  if (typeof value === 'string') return value
  if (Array.isArray(value) && value.some((item) => imageOf(item) !== null || textItem(item) !== null)) {
    return value.map((item) => textItem(item) ?? textIn(item, images) ?? '').join('\n')
  }
  return jsonText(value, (_key, inner: unknown) => {
    const within = typeof inner === 'string' ? imageOf(inner) : null
    return within === null ? inner : place(within, images)
  })
}

function place(image: Image, images: Image[]): string {
  if (image.data.length > SERVER_LIMITS.modelImage) return '[image: too large to be shown]'
  images.push(image)
  return '[image]'
}

/** Reads an image in the form of existing screenshot tools, or of MCP. */
function imageOf(value: unknown): Image | null {
  if (typeof value === 'string') {
    const [, mediaType, data] = DATA_URI.exec(value) ?? []
    return mediaType === undefined || data === undefined ? null : { mediaType, data: data.replaceAll(/\s/g, '') }
  }
  if (typeof value !== 'object' || value === null || !('type' in value) || value.type !== 'image') return null
  if (!('data' in value) || typeof value.data !== 'string') return null
  const mediaType = 'mimeType' in value && typeof value.mimeType === 'string' ? value.mimeType : 'image/png'
  return { mediaType, data: value.data }
}

function textItem(value: unknown): string | null {
  if (typeof value !== 'object' || value === null || !('type' in value) || value.type !== 'text') return null
  return 'text' in value && typeof value.text === 'string' ? value.text : null
}
