import type { HttpContext } from './context.js'
import type { HandlersOf } from './handler.js'

/**
 * The server itself.
 * @param openapi the OpenAPI document of all routes
 */
export function serverHandlers({ clients, sessions }: HttpContext, openapi: () => Record<string, unknown>): HandlersOf<'server'> {
  return {
    'server.health': () => ({ status: 'healthy', online_clients: clients.listClients() }),
    'server.clients': () => ({ online_clients: clients.listClients() }),
    'server.openapi': openapi,
    'server.alive': () => ({ status: 'ok' }),
    'server.ready': ({ reply }) => {
      if (!sessions.stopping) return { status: 'ok' }
      void reply.status(503)
      return { status: 'stopping' }
    },
  }
}
