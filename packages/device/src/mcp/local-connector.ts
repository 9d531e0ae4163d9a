import type { Transport } from '@modelcontextprotocol/client'
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
    const ends: (() => Promise<void>)[] = []
    const connect = (): Transport => {
      const [near, far] = sdk.InMemoryTransport.createLinkedPair()
      const onerror = (error: unknown): void => logger.warn(`[MCP] ${name}: ${messageOf(error)}`)
      const served = serveStdio(factory, { transport: far, onerror })
      ends.push(() => served.close())
      return near
    }
    const end = async (): Promise<void> => {
      await Promise.all(ends.map((each) => each()))
    }
    try {
      const connection = await openConnection(sdk, connect, { ...options, clock, describeEnd: () => 'it was closed' })
      void connection.closed.then(end)
      return connection
    } catch (error) {
      await end()
      throw error
    }
  }
}
