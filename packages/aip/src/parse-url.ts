/** Parses an address; null if it is none. `URL.parse` does the same, but not in every Node 22. */
export function parseUrl(text: string): URL | null {
  return URL.canParse(text) ? new URL(text) : null
}
