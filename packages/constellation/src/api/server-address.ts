import { parseUrl } from '@orrery/aip'
import { ApiClientError } from './api-client-error.js'

/**
 * Returns the base of all addresses of the API, without a trailing slash. People paste what they have at hand, so a missing scheme,
 * a WebSocket address and its `/ws` are accepted.
 * @throws {ApiClientError} `INVALID_INPUT` when the text is not an address
 */
export function serverAddress(server: string): string {
  const text = server.trim().replace(/^ws(s?):\/\//i, 'http$1://')
  const url = parseUrl(/^[a-z]+:\/\//i.test(text) ? text : `http://${text}`)
  if (url === null || !/^https?:$/.test(url.protocol) || url.hostname === '') {
    throw new ApiClientError('INVALID_INPUT', `'${server}' is not the address of a server; one looks like http://127.0.0.1:5000`)
  }
  return `${url.origin}${url.pathname.replace(/(\/ws)?\/*$/, '')}`
}
