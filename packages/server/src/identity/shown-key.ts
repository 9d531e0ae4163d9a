import type { IncomingHttpHeaders } from 'node:http'

/** Returns the key that a request shows in `X-API-Key`, else in `Authorization: Bearer`; undefined if it shows none. */
export function shownKey({ authorization, 'x-api-key': key }: IncomingHttpHeaders): string | undefined {
  if (typeof key === 'string' && key !== '') return key
  return /^Bearer +(.+)$/i.exec(authorization ?? '')?.[1]
}
