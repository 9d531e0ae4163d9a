import { randomBytes } from 'node:crypto'

/** Bytes of a token, and of how many tokens the random bytes are made at once: asking the system for each takes most of the time. */
const TOKEN_BYTES = 32
const TOKENS_AT_ONCE = 128

let pool = Buffer.alloc(0)
let used = 0

/** Returns a new secret of 256 random bits, in base64url. */
export function newToken(): string {
  if (used === pool.length) {
    pool = randomBytes(TOKEN_BYTES * TOKENS_AT_ONCE)
    used = 0
  }
  const bytes = pool.subarray(used, used + TOKEN_BYTES)
  used += TOKEN_BYTES
  const token = bytes.toString('base64url')
  // What was given away is not kept.
  bytes.fill(0)
  return token
}
