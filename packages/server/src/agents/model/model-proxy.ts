import { isIPv4 } from 'node:net'

/** What undici says when a proxy refuses to connect. */
const TUNNEL_REFUSED = /Proxy response \(\d+\)/

/** The ways out that the environment names, as HTTP_PROXY, HTTPS_PROXY and NO_PROXY do for other programs. */
export interface ModelProxy {
  /** Addresses of proxies; null: directly. */
  http: string | null
  https: string | null
  /** Hosts that are reached directly, as NO_PROXY lists them. */
  direct: string
}

/** Sends a request; as the global `fetch`. */
export type Fetch = typeof globalThis.fetch

/** Returns the proxies that environment variables name, in capitals or small letters; null if there are none. */
export function proxyIn(env: Readonly<Record<string, string | undefined>>): ModelProxy | null {
  const variable = (name: string): string | null => {
    const value = (env[name.toLowerCase()] ?? env[name])?.trim()
    return value === undefined || value === '' ? null : value
  }
  const http = addressOf(variable('HTTP_PROXY'))
  const https = addressOf(variable('HTTPS_PROXY')) ?? http
  return http === null && https === null ? null : { http, https, direct: variable('NO_PROXY') ?? '' }
}

/** Returns how requests are sent by these proxies; addresses of this machine are always reached directly. */
export async function proxiedFetch(proxy: ModelProxy): Promise<Fetch> {
  // Loaded only where there is a proxy: its `fetch` and its agents belong together.
  const { EnvHttpProxyAgent, fetch: send } = await import('undici')
  const { http, https, direct } = proxy
  // A tunnel is what every proxy has for https; one that allows it for nothing else is asked to forward.
  const options = { httpProxy: http ?? '', httpsProxy: https ?? '', noProxy: direct }
  const tunnel = new EnvHttpProxyAgent({ ...options, proxyTunnel: true })
  const forward = new EnvHttpProxyAgent({ ...options, proxyTunnel: false })
  return async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input)
    const by = url.protocol === 'https:' ? https : http
    if (by === null || isOwnMachine(url.hostname)) return fetch(input, init)
    const request = {
      method: init?.method ?? 'GET',
      headers: Object.fromEntries(new Headers(init?.headers)),
      body: typeof init?.body === 'string' ? init.body : null,
      signal: init?.signal ?? null,
    }
    const answer = await send(url, { ...request, dispatcher: tunnel })
      .catch((error: unknown) => {
        if (url.protocol === 'https:' || !TUNNEL_REFUSED.test(innermost(error).message)) throw error
        return send(url, { ...request, dispatcher: forward })
      })
      .catch((error: unknown) => {
        throw isOfProxy(error, new URL(by)) ? new TypeError('fetch failed', { cause: new ProxyError(by, error) }) : error
      })
    const { status, statusText, headers } = answer
    return new Response(answer.body, { status, statusText, headers: [...headers] })
  }
}

/** A request did not get through a proxy. */
class ProxyError extends Error {
  override readonly name = 'ProxyError'

  constructor(proxy: string, cause: unknown) {
    super(`by the proxy ${shownAddress(proxy)}: ${innermost(cause).message}`, { cause })
  }
}

/** Returns why a proxy was not passed, if that is what failed; null otherwise. */
export function proxyProblem(thrown: unknown): string | null {
  if (!(thrown instanceof Error)) return null
  return thrown instanceof ProxyError ? thrown.message : proxyProblem(thrown.cause)
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

function isOwnMachine(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '')
  return host === 'localhost' || host.endsWith('.localhost') || host === '::1' || (isIPv4(host) && host.startsWith('127.'))
}

/** Completes an address without a protocol, as some surroundings write it; null for what is none. */
function addressOf(value: string | null): string | null {
  if (value === null) return null
  const text = /^[a-z][\w+.-]*:\/\//i.test(value) ? value : `http://${value}`
  return URL.canParse(text) ? text : null
}

/** A proxy's address may have a password in it. */
function shownAddress(address: string): string {
  const { protocol, host } = new URL(address)
  return `${protocol}//${host}`
}
