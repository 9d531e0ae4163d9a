import { startOf } from '@orrery/aip'
import { SERVER_LIMITS } from '../../limits.js'

/** What an endpoint says of a request that it refuses, wherever in its answer it says so. */
export interface ErrorReport {
  /** In its words, the innermost of them last. */
  message: string
  /** Its own code, such as `context_length_exceeded`; null if there is none in words. */
  code: string | null
  /** The part of the request that it names. */
  param: string | null
  /** The class of the error. Many endpoints use one for everything: it counts only where nothing else says more. */
  type: string | null
  /** The HTTP status that its code stands for; null if it is none. */
  status: number | null
}

/** Where endpoints put their words, in this order. */
const WORDS = [
  'message',
  'msg',
  'detail',
  'error_description',
  'error_msg',
  'errorMessage',
  'Message',
  'description',
  'title',
  'reason',
]
/** Where what is around an error has that error in it. */
const WITHIN = ['error', 'errors', 'response', 'cause']
/** Reads what a text says: JSON, a part of a stream, or just words. */
export function reportIn(text: string): ErrorReport {
  const value = parsed(text) ?? parsed(/^data:[ ]?(.*)$/m.exec(startOf(text, SERVER_LIMITS.modelErrorRead))?.[1] ?? '')
  return value === undefined ? bounded({ ...NOTHING, message: wordsOfPage(text) ?? text.trim() }) : reportOf(value)
}

/** Reads what a value says, from an answer or a stream. */
export function reportOf(value: unknown): ErrorReport {
  const found = search(value, SERVER_LIMITS.modelErrorDepth)
  return found.message === '' && value !== null && value !== undefined
    ? bounded({ ...found, message: typeof value === 'string' ? value : JSON.stringify(value) })
    : bounded(found)
}

function bounded(report: ErrorReport): ErrorReport {
  return { ...report, message: startOf(report.message, SERVER_LIMITS.modelErrorRead) }
}

/** Returns whether a body that came as if all were well is an error, and no answer. */
export function isErrorBody(value: unknown): boolean {
  if (!isObject(value) || 'choices' in value) return isObject(value) && isObject(value['error'])
  return WITHIN.some((key) => isFilled(value[key])) || value['object'] === 'error' || value['type'] === 'error' || hasWords(value)
}

/** Returns whether a text is a web page. */
export function isPage(text: string): boolean {
  return /^\s*(<!doctype html|<html|<head|<body|<\?xml|<!--)/i.test(text)
}

const NOTHING: ErrorReport = { message: '', code: null, param: null, type: null, status: null }

function search(value: unknown, depth: number): ErrorReport {
  if (depth === 0) return NOTHING
  if (typeof value === 'string') {
    const inner = value.startsWith('{') ? parsed(value) : undefined
    return inner === undefined ? { ...NOTHING, message: value.trim() } : search(inner, depth - 1)
  }
  if (Array.isArray(value)) {
    const all = value.slice(0, SERVER_LIMITS.modelErrorDepth).map((item) => search(item, depth - 1))
    return { ...(all[0] ?? NOTHING), message: joined(all.map(({ message }) => message)) }
  }
  if (!isObject(value)) return NOTHING
  const own = reportHere(value, depth)
  // An aggregator passes on the words of whom it asked.
  const passedOn = isObject(value['metadata']) ? search(value['metadata']['raw'], depth - 1).message : ''
  const inner = WITHIN.map((key) => search(value[key], depth - 1)).find(({ message }) => message !== '') ?? NOTHING
  return {
    message: joined([own.message, inner.message, passedOn]),
    code: inner.code ?? own.code,
    param: inner.param ?? own.param,
    type: inner.type ?? own.type,
    status: inner.status ?? own.status,
  }
}

function reportHere(value: Record<string, unknown>, depth: number): ErrorReport {
  const { code, status, param, type, loc } = value
  const words = WORDS.map((key) => value[key]).find(isFilled)
  const numbers = [code, status, value['status_code'], value['statusCode']].map(Number)
  const place = Array.isArray(loc) ? loc.join('.') : null
  return {
    message: joined([search(words, depth - 1).message, place === null ? '' : `(${place})`], ' '),
    code: [code, status].find((each) => typeof each === 'string' && each !== '' && !/^\d+$/.test(each))?.toString() ?? null,
    param: typeof param === 'string' && param !== '' ? param : place,
    type: typeof type === 'string' ? type : null,
    status: numbers.find((number) => Number.isInteger(number) && number >= 400 && number < 600) ?? null,
  }
}

function hasWords(value: Record<string, unknown>): boolean {
  return ('code' in value || 'status' in value || Object.keys(value).length === 1) && WORDS.some((key) => isFilled(value[key]))
}

/** Each text once, and none that another one has in it. */
function joined(texts: readonly string[], between = ': '): string {
  const filled = texts.filter((text) => text !== '')
  return filled
    .filter(
      (text, index) =>
        !filled.some((other, place) => place !== index && other.includes(text) && (other !== text || place < index)),
    )
    .join(between)
}

/** What a page says: its title, or its words without the marks. */
function wordsOfPage(text: string): string | null {
  if (!isPage(text)) return null
  const [, title] = /<title[^>]*>([^<]{1,500})<\/title>/i.exec(text) ?? []
  return title?.trim() ?? text.trim()
}

function parsed(text: string): unknown {
  if (!/^\s*[[{"]/.test(text)) return undefined
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

function isFilled(value: unknown): boolean {
  return value !== null && value !== undefined && value !== '' && value !== false
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
