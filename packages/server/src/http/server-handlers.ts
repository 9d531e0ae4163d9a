import type { Fleet } from '../fleet/fleet.js'
import type { HandlersOf } from './handler.js'

/**
 * The server itself.
 * @param openapi the OpenAPI document of all routes
 */
export function serverHandlers({ server }: Fleet, openapi: () => Record<string, unknown>): HandlersOf<'server'> {
  return {
    'server.health': ({ principal }) => ({ status: 'healthy', online_clients: server.clients(principal) }),
    'server.clients': ({ principal }) => ({ online_clients: server.clients(principal) }),
    'server.openapi': openapi,
    'server.devicePackage': async () => {
      const { content, size } = await server.devicePackage()
      return { headers: { 'content-length': size }, content }
    },
    'server.alive': () => ({ status: 'ok' }),
    'server.ready': ({ reply }) => {
      if (!server.stopping) return { status: 'ok' }
      void reply.status(503)
      return { status: 'stopping' }
    },
  }
}
