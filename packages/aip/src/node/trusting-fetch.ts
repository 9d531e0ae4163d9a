import { isIP } from 'node:net'
import { connect as connectSecurely, type TLSSocket } from 'node:tls'
import type { Dispatcher, buildConnector } from 'undici'
import { messageOf } from '../define-errors.js'
import { LIMITS } from '../limits.js'
import { secured, tlsSettings, type ServerTrust } from './server-trust.js'

type Connect = buildConnector.connector

/** `fetch` for a server whose certificate Node itself would not trust, or which is to be trusted alone. */
export function trustingFetch(trust: ServerTrust): (input: string | URL, init?: RequestInit) => Promise<Response> {
  let dispatcher: Dispatcher | undefined
  return async (input, init) => {
    // Loaded when it is needed: few servers have a certificate of their own.
    const { Agent, buildConnector, fetch: fetchOf } = await import('undici')
    dispatcher ??= new Agent({ connect: connector(trust, buildConnector({})) })
    const through: object = { ...init, dispatcher }
    // Of the same package as the dispatcher: the two of Node need not fit.
    const given: unknown = fetchOf
    return isFetch(given) ? await given(input, through) : await fetch(input, init)
  }
}

function connector(trust: ServerTrust, plain: Connect): Connect {
  return (options, done) => {
    if (options.protocol !== 'https:') return plain(options, done)
    const host = options.hostname.replaceAll(/^\[|\]$/g, '')
    const socket = connectSecurely({
      ...tlsSettings(trust),
      host,
      port: Number(options.port) || 443,
      servername: isIP(host) === 0 ? host : '',
      ALPNProtocols: ['http/1.1'],
    })
    void handOver(secured(socket, trust, AbortSignal.timeout(LIMITS.registrationTime)), done)
  }
}

async function handOver(securing: Promise<TLSSocket>, done: buildConnector.Callback): Promise<void> {
  const made = await securing.catch((error: unknown) => (error instanceof Error ? error : new Error(messageOf(error))))
  if (made instanceof Error) done(made, null)
  else done(null, made)
}

/** Both follow the same standard; only their type declarations differ. */
function isFetch(value: unknown): value is typeof fetch {
  return typeof value === 'function'
}
