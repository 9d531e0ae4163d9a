import type { ErrorCode } from '@orrery/aip'

/**
 * A call of the HTTP API that failed. `message` is one line that a user can act on.
 *
 * `code` is the server's own (from the catalogue of `@orrery/aip`; a newer server may send others), or one of these, which the
 * client detects itself: `CONNECT_FAILED` (not reachable), `TIMEOUT`, `INVALID_MESSAGE` (not an answer of an Orrery server) and
 * `INVALID_INPUT` (not an address).
 */
export class ApiClientError extends Error {
  override readonly name = 'ApiClientError'
  readonly code: ErrorCode | (string & {})
  /** Status of the HTTP response; null if there was none. */
  readonly status: number | null

  constructor(code: ErrorCode | (string & {}), message: string, status: number | null = null, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.status = status
  }
}
