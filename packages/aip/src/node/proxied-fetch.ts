import type { Dispatcher } from 'undici'
import { messageOf } from '../define-errors.js'
import { proxyFor, type Proxy, type ProxyVariables } from './proxy.js'

const dispatchers = new Map<string, Dispatcher>()

/**
 * `fetch` that follows the variables that name proxies; see {@link proxyFor}. An error that is the proxy's names it.
 * @param env default: the environment of this process
 */
export function proxiedFetch(env: ProxyVariables = process.env): (input: string | URL, init?: RequestInit) => Promise<Response> {
  return async (input, init) => {
    const proxy = proxyFor(input, env)
    if (proxy === null) return fetch(input, init)
    // Loaded when it is needed: few machines are behind a proxy.
    const undici = await import('undici')
    const dispatcher = dispatchers.get(proxy.url.href) ?? new undici.ProxyAgent({ uri: proxy.url.href, proxyTunnel: true })
    dispatchers.set(proxy.url.href, dispatcher)
    const through: object = { ...init, dispatcher }
    try {
      // Of the same package as the dispatcher: the two of Node need not fit.
      const proxied: unknown = undici.fetch
      return isFetch(proxied) ? await proxied(input, through) : await fetch(input, init)
    } catch (error) {
      throw ofProxy(error, proxy)
    }
  }
}

/** Both follow the same standard; only their type declarations differ. */
function isFetch(value: unknown): value is typeof fetch {
  return typeof value === 'function'
}

/** `fetch` hides the system's error in the cause of its own. */
function ofProxy(error: unknown, proxy: Proxy): unknown {
  if (!(error instanceof TypeError)) return error
  let inner: Error = error
  while (inner.cause instanceof Error) inner = inner.cause
  return new TypeError('fetch failed', { cause: new Error(`through the proxy ${proxy.shown}: ${messageOf(inner)}`) })
}
