import type * as Sdk from '@modelcontextprotocol/client'
import type { CallToolResult, Client, Progress, Tool, Transport } from '@modelcontextprotocol/client'
import { withTimeLimit, type Clock } from '@orrery/aip'
import { DEVICE_LIMITS } from '../limits.js'
import { listTools } from './list-tools.js'

/** The MCP SDK's client half; it takes a quarter of a second to load, so it is loaded when a server starts. */
export type ClientSdk = typeof Sdk

/** The time limits are those of the computer and of the server's state; the SDK's own, which do not follow the clock, must not come first. */
const NO_LIMIT = 2 ** 31 - 1

/** Loads {@link ClientSdk}. */
export function loadClientSdk(): Promise<ClientSdk> {
  return import('@modelcontextprotocol/client')
}

/** How a tool is called. */
export interface ToolCallOptions {
  signal: AbortSignal
  /** Asks the server to report its progress. */
  onProgress?: ((progress: Progress) => void) | undefined
}

/** An MCP server that can be called now. */
export interface Connection {
  /** Lists all tools. @throws the SDK's error */
  listTools(signal: AbortSignal): Promise<readonly Tool[]>
  /** Calls a tool as it was listed. @throws the SDK's error */
  callTool(tool: Tool, parameters: Record<string, unknown>, options: ToolCallOptions): Promise<CallToolResult>
  /** Returns whether a request failed with this error because the server no longer knows its session: it has not been carried out. */
  isSessionLost(error: unknown): boolean
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
  onToolsChanged: () => void
  /** Gets one line for each thing of the server that is not valid and is left out. */
  onFlaw: (flaw: string) => void
}

/** Makes one connection to a server. @throws when the server cannot be started or does not speak MCP */
export type Connector = (options: ConnectorOptions) => Promise<Connection>

/** How a connection is opened. */
export interface OpenOptions extends ConnectorOptions {
  clock: Clock
  /** Says why the connection has ended. */
  describeEnd: () => string
  /** Default: no session can be lost. */
  isSessionLost?: (error: unknown) => boolean
}

/**
 * Greets a server as it was done before 2026, which nearly all understand; only one that refuses that clearly is asked in the newer way.
 * @param connect makes a transport that has not started
 * @throws the greeting's error, or AipError `TIMEOUT`; the transport is closed then
 */
export async function openConnection(sdk: ClientSdk, connect: () => Transport, options: OpenOptions): Promise<Connection> {
  try {
    return await greet(sdk, connect(), 'legacy', options)
  } catch (error) {
    if (!isRefusal(sdk, error)) throw error
    return await greet(sdk, connect(), 'auto', options).catch(() => {
      throw error
    })
  }
}

/** Returns whether a server has answered the older greeting, but not with a welcome. */
function isRefusal(sdk: ClientSdk, error: unknown): boolean {
  if (error instanceof sdk.ProtocolError) return true
  const status = error instanceof sdk.SdkHttpError ? error.status : 0
  return status >= 400 && status < 500 && status !== 401 && status !== 403
}

async function greet(sdk: ClientSdk, transport: Transport, mode: 'legacy' | 'auto', options: OpenOptions): Promise<Connection> {
  const { clock, signal, onToolsChanged, onFlaw, describeEnd, isSessionLost = () => false } = options
  const client = new sdk.Client(
    { name: 'orrery-device', version: '0.1.0' },
    {
      versionNegotiation: { mode, probe: { timeoutMs: DEVICE_LIMITS.mcpGreeting } },
      listChanged: { tools: { autoRefresh: false, onChanged: onToolsChanged } },
    },
  )
  const connection = { closed: Promise.withResolvers<string>(), ended: null as string | null }
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
    const greeting = client.connect(transport, { timeout: NO_LIMIT })
    await withTimeLimit(greeting, { clock, ms: DEVICE_LIMITS.mcpStart, operation: 'The start', signal })
  } catch (error) {
    await close()
    throw error
  }
  return {
    listTools: (given) => listTools(client, { signal: given, timeout: NO_LIMIT }, onFlaw),
    callTool: (tool, parameters, { signal: given, onProgress }) => call(client, tool, parameters, given, onProgress),
    isSessionLost,
    closed: connection.closed.promise,
    get ended() {
      return connection.ended
    },
    close,
  }
}

function call(
  client: Client,
  tool: Tool,
  parameters: Record<string, unknown>,
  signal: AbortSignal,
  onProgress: ToolCallOptions['onProgress'],
): Promise<CallToolResult> {
  // Without its output schema: what a tool has done cannot be undone by refusing its answer. The rest says which arguments go into headers.
  const { outputSchema: _, ...toolDefinition } = tool
  return client.callTool(
    { name: tool.name, arguments: parameters },
    { signal, timeout: NO_LIMIT, toolDefinition, ...(onProgress === undefined ? {} : { onprogress: onProgress }) },
  )
}
