import { messageOf, type Clock } from '@orrery/aip'
import { loadClientSdk, openConnection, type ClientSdk, type Connector } from './connection.js'
import { deviceError } from '../errors.js'

/** A server behind an address. `sse` is the transport from before 2025; Streamable HTTP serves both later eras of the protocol. */
export interface HttpServer {
  url: string
  headers: Readonly<Record<string, string>>
  transport: 'http' | 'sse'
}

/** Connects to a server over HTTP. @param name of the server, for messages */
export function httpConnector(name: string, { url, headers, transport }: HttpServer, { clock }: { clock: Clock }): Connector {
  return async (options) => {
    const sdk = await loadClientSdk()
    const Transport = transport === 'sse' ? sdk.SSEClientTransport : sdk.StreamableHTTPClientTransport
    const connection = new Transport(new URL(url), { requestInit: { headers } })
    const end = endWhenLost(connection, sdk)
    try {
      return await openConnection(sdk, connection, clock, options, () => end.reason ?? 'it was closed')
    } catch (error) {
      // Without its query, where a key may be: the error travels to the server of the device.
      const { origin, pathname } = new URL(url)
      throw deviceError('MCP_SERVER_FAILED', { name, detail: `${origin}${pathname}: ${reasonOf(error)}` })
    }
  }
}

interface Sender {
  send(...args: never[]): Promise<void>
  close(): Promise<void>
}

/**
 * Over HTTP a server that has gone shows only when something is sent to it. The connection is then closed, so that it
 * reconnects: when the server cannot be reached, or no longer knows the session (404).
 */
function endWhenLost(connection: Sender, sdk: ClientSdk): { reason: string | null } {
  const end: { reason: string | null } = { reason: null }
  const send = connection.send.bind(connection)
  connection.send = async (...args) => {
    try {
      await send(...args)
    } catch (error) {
      if (error instanceof TypeError || (error instanceof sdk.SdkHttpError && error.status === 404)) {
        end.reason = reasonOf(error)
        setImmediate(() => void connection.close())
      }
      throw error
    }
  }
  return end
}

/** `fetch` hides the system's error in the cause of its own. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined
  return cause instanceof Error ? cause.message || messageOf(error) : messageOf(error)
}
