import type * as Sdk from '@modelcontextprotocol/client'
import type { Client, Tool, Transport } from '@modelcontextprotocol/client'
import { withTimeLimit, type Clock } from '@orrery/aip'
import { DEVICE_LIMITS } from '../limits.js'

/** The MCP SDK's client half; it takes a quarter of a second to load, so it is loaded when a server starts. */
export type ClientSdk = typeof Sdk

/** Loads {@link ClientSdk}. */
export function loadClientSdk(): Promise<ClientSdk> {
  return import('@modelcontextprotocol/client')
}

/** An MCP server that can be called now. */
export interface Connection {
  client: Client
  /** Settles with the reason when the connection has ended; never rejects. */
  closed: Promise<string>
  /** The reason, once it has ended. */
  readonly ended: string | null
  close(): Promise<void>
}

/** What a connector is given. */
export interface ConnectorOptions {
  /** Ends a connection that is still being made. */
  signal: AbortSignal
  /** Called when the server says that its tools have changed. */
  onTools: (tools: readonly Tool[]) => void
}

/** Makes one connection to a server. @throws when the server cannot be started or does not speak MCP */
export type Connector = (options: ConnectorOptions) => Promise<Connection>

/**
 * Greets a server, of either protocol era.
 * @param describeEnd says why the connection has ended
 * @throws the greeting's error, or AipError `TIMEOUT`; the transport is closed then
 */
export async function openConnection(
  sdk: ClientSdk,
  transport: Transport,
  clock: Clock,
  { signal, onTools }: ConnectorOptions,
  describeEnd: () => string,
): Promise<Connection> {
  const client = new sdk.Client(
    { name: 'orrery-device', version: '0.1.0' },
    {
      versionNegotiation: { mode: 'auto', probe: { timeoutMs: DEVICE_LIMITS.mcpGreeting } },
      listChanged: { tools: { onChanged: (_error, tools) => tools && onTools(tools) } },
    },
  )
  const connection = { client, closed: Promise.withResolvers<string>(), ended: null as string | null }
  // The SDK has no event target; this is its one hook.
  // oxlint-disable-next-line unicorn/prefer-add-event-listener
  client.onclose = () => {
    connection.ended = describeEnd()
    connection.closed.resolve(connection.ended)
  }
  const close = async (): Promise<void> => {
    await client.close()
    await transport.close()
  }
  try {
    await withTimeLimit(client.connect(transport), { clock, ms: DEVICE_LIMITS.mcpStart, operation: 'The start', signal })
  } catch (error) {
    await close()
    throw error
  }
  return {
    client,
    closed: connection.closed.promise,
    get ended() {
      return connection.ended
    },
    close,
  }
}
