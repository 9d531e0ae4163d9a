import { stripVTControlCharacters } from 'node:util'

/** How many columns a text takes in a terminal. */
export function displayWidth(text: string): number {
  let width = 0
  for (const char of stripVTControlCharacters(text)) {
    if (/\p{Mn}|\p{Cf}/u.test(char)) continue
    width += /\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60]/u.test(char)
      ? 2
      : 1
  }
  return width
}

/** Cuts a text without colours to a number of columns; a cut is marked with `…`. */
export function fit(text: string, columns: number): string {
  if (displayWidth(text) <= columns) return text
  let kept = ''
  let width = 0
  for (const char of text) {
    width += displayWidth(char)
    if (width > columns - 1) break
    kept += char
  }
  return `${kept.trimEnd()}…`
}

/** How wide a stream is, in columns. @param piped how wide if it is not a terminal */
export function columnsOf(stream: NodeJS.WriteStream, piped: number): number {
  // A terminal that does not know its size says 0.
  return stream.isTTY ? stream.columns || 80 : piped
}

/** A time span in words. @param ms milliseconds */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(Math.max(ms, 0))} ms`
  if (ms < 9950) return `${(ms / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

/** A number of bytes in words. */
export function byteCount(bytes: number): string {
  const units = ['KiB', 'MiB', 'GiB', 'TiB']
  if (bytes < 1024) return `${Math.round(bytes)} B`
  const power = Math.min(Math.floor(Math.log2(bytes) / 10), units.length)
  const value = bytes / 1024 ** power
  return `${value < 100 ? value.toFixed(1) : Math.round(value)} ${units[power - 1] ?? ''}`
}

/** How long ago a time is, coarsely. @param time ISO-8601 */
export function age(time: string, now: number = Date.now()): string {
  const seconds = Math.max(0, Math.round((now - Date.parse(time)) / 1000))
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h`
  return `${Math.floor(seconds / 86_400)} d`
}

/** How long until a time, in words. @param time ISO-8601 */
export function inTime(time: string, now: number = Date.now()): string {
  const left = Date.parse(time) - now
  if (Number.isNaN(left)) return time
  return left <= 0
    ? 'now'
    : `in ${duration(Math.ceil(left / 1000) * 1000)
        .replace('.0 s', ' s')
        .replace(' 0 s', '')}`
}

/** A time of the day on this machine's clock, with the date where that is not today's. @param time ISO-8601 */
export function clockTime(time: string, now: number = Date.now()): string {
  const [day = '', hour = time] = new Date(time).toLocaleString('sv').split(' ')
  return day === new Date(now).toLocaleString('sv').split(' ')[0] ? hour : `${day} ${hour}`
}

/** A text that begins a line. */
export function capitalised(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`
}

/** A session id as tables show it: of a UUID the first part on a terminal, where `orrery session` takes it too. */
export function shortId(id: string): string {
  return process.stdout.isTTY && /^[0-9a-f]{8}-[0-9a-f]{4}-/.test(id) ? id.slice(0, 8) : id
}
