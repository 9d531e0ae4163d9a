/** Cuts a reason to the 123 bytes of a close frame (RFC 6455, 5.5), at the end of a character. */
export function cutReason(reason: string): string {
  return reason.slice(0, new TextEncoder().encodeInto(reason, new Uint8Array(123)).read)
}
