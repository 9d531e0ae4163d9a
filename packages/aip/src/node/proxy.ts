import { BlockList, isIP } from 'node:net'
import { parseUrl } from '../parse-url.js'

/** Variables of an environment, as `process.env` has them. */
export type ProxyVariables = Readonly<Record<string, string | undefined>>

/** The proxy that leads to an address. */
export interface Proxy {
  /** With user and password, which must not be shown. */
  url: URL
  /** To show: its address, and the variable that names it. */
  shown: string
}

/** The variables that name proxies, for each kind of address, best first. */
const VARIABLES: Readonly<Record<string, readonly string[]>> = {
  'http:': ['HTTP_PROXY', 'ALL_PROXY'],
  'ws:': ['HTTP_PROXY', 'ALL_PROXY'],
  'https:': ['HTTPS_PROXY', 'ALL_PROXY'],
  'wss:': ['HTTPS_PROXY', 'ALL_PROXY'],
}
const PORTS: Readonly<Record<string, string>> = { 'http:': '80', 'ws:': '80', 'https:': '443', 'wss:': '443' }

/**
 * Returns the proxy through which an address is reached, by the variables that other programs follow: `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and
 * `NO_PROXY`, in small letters too, which win. Null where there is none: for this machine itself, for what `NO_PROXY` names, and without a variable.
 * @throws Error if the variable is not the address of an HTTP proxy
 */
export function proxyFor(address: string | URL, env: ProxyVariables = process.env): Proxy | null {
  const target = typeof address === 'string' ? parseUrl(address) : address
  if (target === null) return null
  const [name, value] = firstOf(VARIABLES[target.protocol] ?? [], env)
  if (value === '' || isDirect(target, env)) return null
  const url = parseUrl(/^[a-z][a-z\d+.-]*:\/\//i.test(value) ? value : `http://${value}`)
  // The value itself may hold a password.
  if (url === null || url.hostname === '') throw new Error(`the variable ${name} is not the address of a proxy`)
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new Error(`the variable ${name} names a proxy of the kind ${url.protocol}; only http: and https: are known`)
  return { url, shown: `${url.protocol}//${url.host} (${name})` }
}

/** Returns the variables of an environment that name proxies, without the others, which may be secrets. */
export function proxyVariablesIn(env: ProxyVariables): ProxyVariables {
  return Object.fromEntries(Object.entries(env).filter(([name]) => /^(?:https?|all|no)_proxy$/i.test(name)))
}

function firstOf(names: readonly string[], env: ProxyVariables): [name: string, value: string] {
  for (const name of names.flatMap((each) => [each.toLowerCase(), each])) {
    const value = env[name]?.trim()
    if (value !== undefined && value !== '') return [name, value]
  }
  return ['', '']
}

function isDirect(target: URL, env: ProxyVariables): boolean {
  const host = target.hostname
    .replace(/^\[|\]$/g, '')
    .toLowerCase()
    .replace(/\.$/, '')
  if (isLoopback(host)) return true
  const port = target.port === '' ? (PORTS[target.protocol] ?? '') : target.port
  const [, list] = firstOf(['NO_PROXY'], env)
  return list
    .toLowerCase()
    .split(/[\s,]+/)
    .some((entry) => entry !== '' && matches(entry, host, port))
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost') || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}

/** An entry is a name with all below it, an address or a range of addresses, each with or without a port, or `*`. */
function matches(entry: string, host: string, port: string): boolean {
  if (entry === '*') return true
  const [, address = entry, wantedPort] = /^(\[[^\]]+\]|[^:]+)(?::(\d+))?$/.exec(entry) ?? []
  if (wantedPort !== undefined && wantedPort !== port) return false
  const name = address.replace(/^\[|\]$/g, '').replace(/^\*?\./, '')
  if (name.includes('/')) return isInRange(name, host)
  return host === name || (isIP(host) === 0 && host.endsWith(`.${name}`))
}

function isInRange(range: string, host: string): boolean {
  const [network = '', bits = ''] = range.split('/')
  const family = isIP(network) === 6 ? 'ipv6' : 'ipv4'
  const length = Number(bits)
  if (isIP(network) === 0 || isIP(network) !== isIP(host) || !/^\d+$/.test(bits) || length > (family === 'ipv6' ? 128 : 32))
    return false
  const list = new BlockList()
  list.addSubnet(network, length, family)
  return list.check(host, family)
}
