import { AsyncLocalStorage } from 'node:async_hooks'
import type { JSONRPCMessage, Transport, TransportSendOptions } from '@modelcontextprotocol/client'
import { messageOf, type Clock } from '@orrery/aip'
import { proxiedFetch } from '@orrery/aip/node'
import type { Environment } from '../process/child-environment.js'
import { loadClientSdk, openConnection, type ClientSdk, type Connector } from './connection.js'
import { LenientTransport } from './lenient-transport.js'
import { AnswerMender } from './mend-answers.js'

/** A server behind an address. `sse` is the transport from before 2025; Streamable HTTP serves both later eras of the protocol. */
export interface HttpServer {
  url: string
  headers: Readonly<Record<string, string>>
  transport: 'http' | 'sse'
}

/** Connects to a server over HTTP. */
export function httpConnector(
  { url, headers, transport }: HttpServer,
  { clock, env }: { clock: Clock; env: Environment },
): Connector {
  return async (options) => {
    const sdk = await loadClientSdk()
    const mender = new AnswerMender(sdk, options.onFlaw)
    const requestInit = { headers }
    const reach = proxiedFetch(env)
    const target = new URL(url)
    let reason: string | null = null
    /** Closes a connection over which the server can no longer be reached: over HTTP that shows only when something is sent. */
    const lost = (inner: Transport, error: unknown): void => {
      reason ??= reasonOf(error)
      setImmediate(() => void inner.close())
    }
    const connect = (): Transport => {
      if (transport === 'sse') {
        const inner = new sdk.SSEClientTransport(target, { requestInit, fetch: reach })
        return new LenientTransport(watched(inner, lost), { mender, clock })
      }
      const exchanges = new Exchanges(reach)
      const inner = new sdk.StreamableHTTPClientTransport(target, { requestInit, fetch: exchanges.fetch })
      watched(inner, lost)
      return new LenientTransport(inner, { mender, clock, exchange: exchanges.over(inner) })
    }
    try {
      return await openConnection(sdk, connect, {
        ...options,
        clock,
        describeEnd: () => reason ?? 'it was closed',
        isSessionLost: (error) => isSessionLost(sdk, error),
      })
    } catch (error) {
      // Without its query, where a key may be: the error travels to the server of the device.
      throw new Error(`${target.origin}${target.pathname}: ${reasonOf(error)}`, { cause: error })
    }
  }
}

/** The exchanges of HTTP requests and answers, each with whether its answer is a stream, which ends later. */
class Exchanges {
  readonly #current = new AsyncLocalStorage<{ streams: boolean }>()

  readonly #reach: ReturnType<typeof proxiedFetch>

  /** @param reach sends a request */
  constructor(reach: ReturnType<typeof proxiedFetch>) {
    this.#reach = reach
  }

  readonly fetch = async (url: string | URL, init?: RequestInit): Promise<Response> => {
    const response = await this.#reach(url, init)
    const current = this.#current.getStore()
    if (current !== undefined) current.streams = /^text\/event-stream\b/i.test(response.headers.get('content-type') ?? '')
    return response
  }

  /** Sends over a transport; gives whether the answer has ended. */
  over(inner: Transport): (message: JSONRPCMessage, options: TransportSendOptions) => Promise<boolean> {
    return async (message, options) => {
      const current = { streams: false }
      await this.#current.run(current, () => inner.send(message, options))
      return !current.streams
    }
  }
}

/** Reports the first request that could not reach the server. */
function watched<T extends Transport>(inner: T, lost: (inner: Transport, error: unknown) => void): T {
  const send = inner.send.bind(inner)
  inner.send = async (message, options) => {
    try {
      await send(message, options)
    } catch (error) {
      // `fetch` throws nothing else when there is no connection.
      if (error instanceof TypeError) lost(inner, error)
      throw error
    }
  }
  return inner
}

/** The specification says 404; servers written from the SDK's examples say 400. */
function isSessionLost(sdk: ClientSdk, error: unknown): boolean {
  return error instanceof sdk.SdkHttpError && (error.status === 404 || error.status === 400)
}

/** Returns the innermost cause in words: `fetch` hides the system's error in the cause of its own. */
function reasonOf(error: unknown): string {
  let inner = error
  while (inner instanceof Error && inner.cause instanceof Error) inner = inner.cause
  if (inner instanceof Error && 'status' in inner && typeof inner.status === 'number')
    return httpReason(inner.status, inner.message)
  if (inner instanceof AggregateError) return inner.errors.map(messageOf).join(', ')
  return messageOf(inner)
}

function httpReason(status: number, text: string): string {
  const said = text.replace(/^Error POSTing to endpoint:?\s*/, '').trim()
  const hint = status === 404 ? ' (is the path right?)' : status === 401 || status === 403 ? ' (is the key right?)' : ''
  return `HTTP ${status}${hint}${said === '' || said === 'null' ? '' : `: ${said.slice(0, 200)}`}`
}
