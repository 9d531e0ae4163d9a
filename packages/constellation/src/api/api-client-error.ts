import type { ErrorCode } from '@orrery/aip'

/** Options of an {@link ApiClientError}. */
interface ApiClientErrorOptions extends ErrorOptions {
  /** What to do about it, in terms of this SDK. */
  advice?: string
}

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

  /** The message without advice, for programs whose users set other options than those of this SDK. */
  readonly problem: string

  /** @param problem what went wrong, without a full stop */
  constructor(
    code: ErrorCode | (string & {}),
    problem: string,
    status: number | null = null,
    { advice, ...options }: ApiClientErrorOptions = {},
  ) {
    super(advice === undefined ? problem : `${problem}: ${advice}`, options)
    this.problem = problem
    this.code = code
    this.status = status
  }
}
