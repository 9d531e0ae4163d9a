import type { McpServer } from '@modelcontextprotocol/server'
import { messageOf, type Clock, type Logger } from '@orrery/aip'
import { loadClientSdk, openConnection, type Connector } from './connection.js'

/** Makes an MCP server inside this process. It is called once for each connection. */
export type LocalServerFactory = () => McpServer | Promise<McpServer>

/** Connects to a server inside this process. @param name of the server, for the log */
export function localConnector(
  name: string,
  factory: LocalServerFactory,
  { clock, logger }: { clock: Clock; logger: Logger },
): Connector {
  return async (options) => {
    const [sdk, { serveStdio }] = await Promise.all([loadClientSdk(), import('@modelcontextprotocol/server/stdio')])
    const [near, far] = sdk.InMemoryTransport.createLinkedPair()
    const served = serveStdio(factory, {
      transport: far,
      onerror: (error) => logger.warn(`[MCP] ${name}: ${messageOf(error)}`),
    })
    try {
      const connection = await openConnection(sdk, near, clock, options, () => 'it was closed')
      void connection.closed.then(() => served.close())
      return connection
    } catch (error) {
      await served.close()
      throw error
    }
  }
}
