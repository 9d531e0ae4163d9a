import type { Dispatcher } from 'undici'
import { messageOf } from '../define-errors.js'
import { proxyFor, type Proxy, type ProxyVariables } from './proxy.js'

/** What undici says when a proxy refuses to connect. */
const TUNNEL_REFUSED = /Proxy response \(\d+\)/
/** The same where it does not tunnel there, but may forward. */
const NO_TUNNEL = /Proxy response \((?:403|405|501)\)/

/** By address, each with and without a tunnel. */
const agents = new Map<string, Dispatcher>()

/** A request did not get through a proxy; the message names it and says why. */
export class ProxyError extends Error {
  override readonly name = 'ProxyError'
}

/**
 * `fetch` that follows the variables that name proxies; see {@link proxyFor}. A failure that is the proxy's has a {@link ProxyError} as its cause.
 * @param env default: the environment of this process
 */
export function proxiedFetch(env: ProxyVariables = process.env): (input: string | URL, init?: RequestInit) => Promise<Response> {
  return async (input, init) => {
    const proxy = proxyFor(input, env)
    if (proxy === null) return fetch(input, init)
    try {
      return await sendThrough(proxy, true, input, init).catch((error: unknown) => {
        // A tunnel is what every proxy has for https; one that allows it for nothing else is asked to forward.
        if (new URL(input).protocol === 'https:' || !NO_TUNNEL.test(innermost(error).message)) throw error
        return sendThrough(proxy, false, input, init)
      })
    } catch (error) {
      throw isOfProxy(error, proxy.url)
        ? new TypeError('fetch failed', {
            // Without its cause, so that the innermost error names the proxy.
            cause: new ProxyError(`through the proxy ${proxy.shown}: ${messageOf(innermost(error))}`),
          })
        : error
    }
  }
}

/** Returns why a proxy was not passed, if that is what failed; null otherwise. */
export function proxyProblem(thrown: unknown): string | null {
  if (!(thrown instanceof Error)) return null
  return thrown instanceof ProxyError ? thrown.message : proxyProblem(thrown.cause)
}

async function sendThrough({ url }: Proxy, proxyTunnel: boolean, input: string | URL, init?: RequestInit): Promise<Response> {
  // Loaded when it is needed: few machines are behind a proxy.
  const undici = await import('undici')
  const name = `${url.href} ${proxyTunnel}`
  const dispatcher = agents.get(name) ?? new undici.ProxyAgent({ uri: url.href, proxyTunnel })
  agents.set(name, dispatcher)
  const through: object = { ...init, dispatcher }
  // Of the same package as the dispatcher: the two of Node need not fit.
  const send: unknown = undici.fetch
  return isFetch(send) ? send(input, through) : fetch(input, init)
}

/** Both follow the same standard; only their type declarations differ. */
function isFetch(value: unknown): value is typeof fetch {
  return typeof value === 'function'
}

/** Returns whether the proxy failed, or refused, and not what is behind it. */
function isOfProxy(thrown: unknown, { hostname, port, protocol }: URL): boolean {
  for (let error = thrown; error instanceof Error; error = error.cause)
    if (/^(Secure)?ProxyConnectionError$/.test(error.name)) return true
  const error = innermost(thrown)
  if (TUNNEL_REFUSED.test(error.message)) return true
  if ('hostname' in error && error.hostname === hostname) return true
  const number = Number(port === '' ? (protocol === 'https:' ? 443 : 80) : port)
  return ('port' in error && error.port === number) || error.message.includes(`${hostname}:${number}`)
}

/** The innermost error says what it is: those around it say that something failed. */
function innermost(thrown: unknown): Error {
  if (thrown instanceof AggregateError && thrown.errors.length > 0) return innermost(thrown.errors[0])
  if (!(thrown instanceof Error)) return new Error(String(thrown))
  return thrown.cause instanceof Error ? innermost(thrown.cause) : thrown
}
