import type { ServerResponse } from 'node:http'
import type { FastifyReply } from 'fastify'

/**
 * Takes a reply over, for a stream of events that is written to its response.
 * @returns the response, with the headers set so far; null for HEAD, which is answered here
 */
export function eventResponse(reply: FastifyReply): ServerResponse | null {
  const { raw } = reply
  reply.hijack()
  for (const [name, value] of Object.entries(reply.getHeaders())) if (value !== undefined) raw.setHeader(name, value)
  raw.setHeader('content-type', 'text/event-stream')
  raw.setHeader('cache-control', 'no-store')
  raw.setHeader('x-accel-buffering', 'no')
  if (reply.request.method !== 'HEAD') return raw
  raw.writeHead(200).end()
  return null
}
