import type { ErrorCode } from '@orrery/aip'

/**
 * A call of the HTTP API that failed. `message` is one line that a user can act on.
 *
 * `code` is the server's own (the catalogue of `@orrery/aip`; a newer server may send more), or one of these, which the
 * client finds out by itself: `CONNECT_FAILED` (not reachable), `TIMEOUT`, `INVALID_MESSAGE` (the answer is not Orrery's) and
 * `INVALID_INPUT` (the address cannot be one).
 */
export class ApiClientError extends Error {
  override readonly name = 'ApiClientError'
  readonly code: ErrorCode | (string & {})
  /** Status of the HTTP answer; null when there was none. */
  readonly status: number | null

  constructor(code: ErrorCode | (string & {}), message: string, status: number | null = null, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.status = status
  }
}
