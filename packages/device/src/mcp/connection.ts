import type { Client, Tool, Transport } from '@modelcontextprotocol/client'
import { aipError, type Clock } from '@orrery/aip'

/** The MCP SDK's client half; it takes a quarter of a second to load, so it is loaded when a server starts. */
export type ClientSdk = typeof import('@modelcontextprotocol/client')

/** Loads {@link ClientSdk}. */
export function loadClientSdk(): Promise<ClientSdk> {
  return import('@modelcontextprotocol/client')
}

/** An MCP server that can be called now. */
export interface Connection {
  client: Client
  /** Settles with the reason when the connection has ended; never rejects. */
  closed: Promise<string>
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

/** How long a start may take, in milliseconds: package runners download on their first start. */
const START_TIME = 120_000
/** Servers of the 2025 protocol may not answer the question for the newer one; they are then greeted the old way. */
const PROBE_TIME = 10_000

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
      versionNegotiation: { mode: 'auto', probe: { timeoutMs: PROBE_TIME } },
      listChanged: { tools: { onChanged: (_error, tools) => tools && onTools(tools) } },
    },
  )
  const closed = new Promise<string>((resolve) => {
    client.onclose = () => resolve(describeEnd())
  })
  const close = async (): Promise<void> => {
    await client.close()
    await transport.close()
  }
  const stopped = Promise.withResolvers<never>()
  const timer = clock.after(START_TIME, () =>
    stopped.reject(aipError('TIMEOUT', { operation: 'The start', seconds: START_TIME / 1000 })),
  )
  const onAbort = (): void => stopped.reject(new Error('stopped'))
  signal.addEventListener('abort', onAbort, { once: true })
  if (signal.aborted) onAbort()
  try {
    await Promise.race([client.connect(transport), stopped.promise])
    return { client, closed, close }
  } catch (error) {
    await close()
    throw error
  } finally {
    timer.cancel()
    signal.removeEventListener('abort', onAbort)
  }
}
