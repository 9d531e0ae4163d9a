import { SERVER_LIMITS } from '../limits.js'

/** Returns the texts in which a secret may come back: as it is, each of its lines, and as JSON, a part of an address and base64 have it. */
export function secretForms(value: string): string[] {
  const lines = value.split(/\r?\n/).map((line) => line.trim())
  const forms = [value, ...lines].flatMap((text) => [text, JSON.stringify(text).slice(1, -1), inAddress(text)])
  const base64 = Buffer.from(value).toString('base64')
  return [...forms, base64, base64.replace(/=+$/, '')].filter((form) => form.length >= SERVER_LIMITS.shortestSecret)
}

function inAddress(text: string): string {
  try {
    return encodeURIComponent(text)
  } catch {
    // Half a surrogate pair has no form in an address.
    return text
  }
}
