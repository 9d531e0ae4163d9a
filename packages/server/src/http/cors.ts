import cors from '@fastify/cors'
import { ROUTES, ROUTE_NAMES, type Route } from '@orrery/aip/api'
import type { FastifyInstance } from 'fastify'

/** What requests of the SDK send. */
const SENT = ['x-api-key', 'authorization', 'content-type', 'last-event-id']
/** What a page may read besides what browsers show anyway. */
const READ = [
  'retry-after',
  ...new Set(ROUTE_NAMES.flatMap((name) => headersOf(ROUTES[name])).filter((header) => header !== 'content-length')),
]

/**
 * Lets pages of other origins use the API. They show a key of their own: what a browser keeps for this server, such as cookies, never comes along.
 * @param origins exactly as browsers send them
 */
export async function allowOrigins(app: FastifyInstance, origins: readonly string[]): Promise<void> {
  await app.register(cors, {
    origin: [...origins],
    credentials: false,
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    allowedHeaders: SENT,
    exposedHeaders: READ,
    // Seconds.
    maxAge: 600,
    strictPreflight: false,
  })
}

function headersOf({ answer }: Route): string[] {
  return answer.kind === 'bytes' ? Object.keys(answer.headers) : []
}
