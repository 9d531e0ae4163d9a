import { contentMedia, dataUri, fileMedia, type Media } from './media.js'
import { programOutcome, type ProgramOutcome } from './program-outcome.js'

/** A row of a table, by column. */
type Row = Readonly<Record<string, unknown>>

/** What a result consists of, each shown in its own way. */
export type ResultPart =
  | { kind: 'text'; text: string }
  | { kind: 'file'; text: string; more: string | null }
  | { kind: 'media'; media: Media }
  | { kind: 'program'; program: ProgramOutcome }
  | { kind: 'table'; columns: readonly string[]; rows: readonly Row[] }
  | { kind: 'fields'; fields: Row }
  | { kind: 'json'; value: unknown }

/** Fields whose values are longer or deeper than this are shown as JSON. */
const DEEPEST = 2

/** Takes the result of a tool apart. Nothing is left out. */
export function resultParts(value: unknown): ResultPart[] {
  if (value === null || value === undefined || value === '') return []
  if (typeof value === 'string') {
    const media = dataUri(value)
    return [media === null ? { kind: 'text', text: value } : { kind: 'media', media }]
  }
  if (Array.isArray(value)) return partsOfList(value)
  if (!isRow(value)) return [{ kind: 'text', text: JSON.stringify(value) }]
  return partsOfObject(value)
}

function partsOfList(list: readonly unknown[]): ResultPart[] {
  if (list.length === 0) return [{ kind: 'json', value: list }]
  if (list.every(isContent)) return list.flatMap(partsOfContent)
  if (list.every(isScalar)) return [{ kind: 'text', text: list.map(String).join('\n') }]
  if (list.every(isRow) && list.every((row) => Object.values(row).every((cell) => depthOf(cell) < DEEPEST)))
    return [tableOf(list)]
  return [{ kind: 'json', value: list }]
}

function partsOfObject(value: Row): ResultPart[] {
  const program = programOutcome(value)
  if (program !== null) return [{ kind: 'program', program }]
  const entries = Object.entries(value)
  const [only] = entries
  if (entries.length === 1 && only?.[0] === 'result') return resultParts(only[1])
  const media = fileMedia(value)
  if (media !== null) return [{ kind: 'media', media }]
  const { content, path } = value
  if (typeof content === 'string' && typeof path === 'string') return [{ kind: 'file', text: content, more: moreOf(value) }]
  // A list with what is said about it, such as whether it is complete.
  const lists = entries.filter(([, each]) => Array.isArray(each) && each.length > 0 && each.every(isRow))
  const [list] = lists
  const others = entries.filter((entry) => entry !== list)
  if (lists.length === 1 && list !== undefined && others.every(([, each]) => depthOf(each) < 1)) {
    const fields: ResultPart[] = others.length === 0 ? [] : [{ kind: 'fields', fields: Object.fromEntries(others) }]
    return [...fields, ...resultParts(list[1])]
  }
  if (entries.length > 0 && entries.every(([, each]) => depthOf(each) < DEEPEST)) return [{ kind: 'fields', fields: value }]
  return [{ kind: 'json', value }]
}

/** Where the file continues, if this is only a part of it. */
function moreOf({ next_offset: offset, next_line: line, size }: Row): string | null {
  const of = typeof size === 'number' ? ` of ${size} bytes` : ''
  if (typeof line === 'number') return `a part${of}; it continues with "start_line": ${line}`
  return typeof offset === 'number' ? `a part${of}; it continues with "offset": ${offset}` : null
}

function tableOf(rows: readonly Row[]): ResultPart {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))]
  return { kind: 'table', columns, rows }
}

function isContent(item: unknown): item is Row {
  if (!isRow(item)) return false
  const { type, text, uri } = item
  return (type === 'text' && typeof text === 'string') || (type === 'resource_link' && typeof uri === 'string') || isMedia(item)
}

function isMedia(item: Row): boolean {
  const { type, data, resource } = item
  return ((type === 'image' || type === 'audio') && typeof data === 'string') || (type === 'resource' && isRow(resource))
}

function partsOfContent(item: Row): ResultPart[] {
  const media = contentMedia(item)
  if (media !== null) return [{ kind: 'media', media }]
  const { text, uri, resource } = item
  if (typeof text === 'string') return resultParts(text)
  if (typeof uri === 'string') return [{ kind: 'text', text: uri }]
  const inside = isRow(resource) ? resource['text'] : undefined
  return typeof inside === 'string' ? [{ kind: 'text', text: inside }] : [{ kind: 'json', value: item }]
}

function depthOf(value: unknown): number {
  if (Array.isArray(value)) return value.every(isScalar) ? 1 : 1 + Math.max(...value.map(depthOf))
  if (isRow(value)) return 1 + Math.max(0, ...Object.values(value).map(depthOf))
  return 0
}

function isScalar(value: unknown): value is string | number | boolean | null {
  return value === null || typeof value !== 'object'
}

function isRow(value: unknown): value is Row {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
