/** What keeps a TLS connection from being made. */
export type TlsProblem = 'untrusted' | 'expired' | 'other_name' | 'other_fingerprint' | 'not_tls'

/** The code of the error for a certificate whose fingerprint is not the expected one. */
export const OTHER_FINGERPRINT = 'ERR_ORRERY_OTHER_FINGERPRINT'

/** Codes of Node and OpenSSL. */
const PROBLEMS: readonly [codes: RegExp, problem: TlsProblem][] = [
  [/^(?:DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN)$/, 'untrusted'],
  [/^UNABLE_TO_(?:VERIFY_LEAF_SIGNATURE|GET_ISSUER_CERT(?:_LOCALLY)?)$/, 'untrusted'],
  [/^CERT_(?:UNTRUSTED|SIGNATURE_FAILURE)$/, 'untrusted'],
  [/^CERT_(?:HAS_EXPIRED|NOT_YET_VALID)$/, 'expired'],
  [/^ERR_TLS_CERT_ALTNAME_INVALID$/, 'other_name'],
  [/^EPROTO$|^ERR_SSL_(?:WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST)$/, 'not_tls'],
]

const TEXTS: Readonly<Record<TlsProblem, string>> = {
  untrusted: 'its certificate is signed by no authority that is trusted here',
  expired: 'its certificate is not valid now: it has expired, or a clock is wrong',
  other_name: 'its certificate is for another name',
  other_fingerprint: 'its certificate has another fingerprint than the expected one',
  not_tls: 'it does not speak TLS at this port',
}

/** Returns the problem behind an error, or behind one of its causes; null if TLS is not to blame. */
export function tlsProblemOf(error: unknown): TlsProblem | null {
  if (!(error instanceof Error)) return null
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  if (code === OTHER_FINGERPRINT) return 'other_fingerprint'
  return PROBLEMS.find(([codes]) => codes.test(code))?.[1] ?? tlsProblemOf(error.cause)
}

/** Describes a problem, of the server. */
export function tlsProblemText(problem: TlsProblem): string {
  return TEXTS[problem]
}
