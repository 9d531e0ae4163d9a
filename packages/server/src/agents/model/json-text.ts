/**
 * Returns a value as JSON without half a character. `JSON.stringify` writes halves as escapes, which a strict reader refuses when the text
 * is read as JSON once more.
 */
export function jsonText(value: unknown, replacer?: (key: string, inner: unknown) => unknown): string {
  const text = JSON.stringify(value, replacer) as string | undefined
  return (text ?? '').replaceAll(/\\(?:u(d[89a-f][0-9a-f]{2})|.)/gi, (escape: string, half: string | undefined) =>
    half === undefined ? escape : '\uFFFD',
  )
}
