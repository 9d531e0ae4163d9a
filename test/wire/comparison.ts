import type { Json } from '../support/wire-client.js'

/** Where what was played is not what was recorded. */
export interface Difference {
  conn: number
  /** A field, `frame` for a message that is missing or too many, `close`, or `http`. */
  field: string
  recorded: unknown
  played: unknown
  /** Type of the recorded message, or of the played one where none was recorded. */
  type: unknown
  /** What this side had sent last on the connection. */
  after: Json
  afterRaw: string
  /** All that this side sent, on any connection. */
  sent: readonly Json[]
}

/** Which recorded id is which played one. Both ways: two ids never become one, and one never becomes two. */
export class IdPairs {
  readonly #played = new Map<string, string>()
  readonly #recorded = new Map<string, string>()

  /** @returns whether these two are the same id; a pair that is new is kept */
  pair(recorded: string, played: string): boolean {
    const known = this.#played.get(recorded)
    const back = this.#recorded.get(played)
    if (known === undefined && back === undefined) {
      this.bind(recorded, played)
      return true
    }
    return known === played && back === recorded
  }

  /** From now on the recorded id is the played one, whatever else is. */
  bind(recorded: string, played: string): void {
    this.#played.set(recorded, played)
    this.#recorded.set(played, recorded)
  }

  knows(recorded: string): boolean {
    return this.#played.has(recorded)
  }

  /** A recorded text with the played ids. */
  translate(text: string): string {
    const others = [...this.#played].filter(([recorded]) => !recorded.match(UUIDS))
    return others.reduce(
      (result, [recorded, played]) => result.replaceAll(`"${recorded}"`, `"${played}"`),
      text.replaceAll(UUIDS, (id) => this.#played.get(id) ?? id),
    )
  }
}

const UUIDS = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3,6}(\+00:00|Z)$/
const ID_FIELDS = new Set(['session_id', 'response_id', 'prev_response_id', 'request_id', 'task_name', 'call_id'])
/** The parts of a message whose fields have an order; in values of tools it does not count. */
const ORDERED = /^(actions\.\d+)?$/
/** Texts meant to be read: that there is one counts, not which. */
const FREE_TEXTS = new Set(['error', 'detail'])

type Found = Pick<Difference, 'field' | 'recorded' | 'played'>

/** Compares two messages, field by field: presence, order, nullness, ids by their pairs, times and free texts by their form. */
export function compareMessages(recorded: Json, played: Json, ids: IdPairs): Found[] {
  return compareObjects(recorded, played, ids, '')
}

function compareObjects(recorded: Json, played: Json, ids: IdPairs, path: string): Found[] {
  const [wanted, given] = [recorded, played].map((value) => {
    const keys = Object.keys(value)
    return (ORDERED.test(path) ? keys : keys.sort()).join()
  })
  const found = Object.entries(recorded).flatMap(([key, value]) =>
    compareValues(key, value, played[key], ids, path === '' ? key : `${path}.${key}`),
  )
  return wanted === given ? found : [{ field: `${path}(fields)`, recorded: wanted, played: given }, ...found]
}

function compareValues(key: string, recorded: unknown, played: unknown, ids: IdPairs, path: string): Found[] {
  const different = [{ field: path, recorded, played }]
  if (typeof recorded === 'string' && typeof played === 'string') {
    if (ID_FIELDS.has(key)) return ids.pair(recorded, played) ? [] : different
    if (key === 'timestamp' || key === 'registration_time') return TIME.test(played) ? [] : different
    if (FREE_TEXTS.has(key)) return played === '' ? different : []
    return ids.translate(recorded) === played ? [] : different
  }
  if (isObject(recorded) && isObject(played)) return compareObjects(recorded, played, ids, path)
  if (Array.isArray(recorded) && Array.isArray(played)) {
    if (recorded.length !== played.length) return different
    return recorded.flatMap((value, index) => compareValues('', value, played[index], ids, `${path}.${index}`))
  }
  return recorded === played ? [] : different
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
