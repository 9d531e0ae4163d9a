/** One promise of the seed documents. */
export interface Promised {
  id: string
  seed: 'websocket_client' | 'websocket_handler_v1' | 'ufo_client' | 'websocket_handler_v2'
  promise: string
  /** Why it does not hold as it is written, which contradiction decides, and which setting brings it back. Its test shows what holds. */
  exception?: { reason: string; contradiction: string; setting: string }
}

/** A test file's text. */
export interface TestFile {
  path: string
  text: string
}

/** A test that names promises. */
export interface Citation {
  path: string
  name: string
}

export interface Coverage {
  /** The tests of each promise, by its id. */
  tests: Map<string, Citation[]>
  uncovered: string[]
  /** Ids that a test names and no promise has, each with its file. */
  unknown: string[]
}

/** A text in quotes that ends in, or holds, a list of ids: `'answers [S-001 S-002]'`. */
const QUOTED = /(["'`])((?:\\.|(?!\1)[^\\\n])*\[S-[^\]\n]*\](?:\\.|(?!\1)[^\\\n])*)\1/g
const LIST = /\[(S-[^\]\n]*)\]/g
/** A test that does not run shows nothing. */
const NOT_RUN = /\b(?:it|test|describe)\.(?:skip|todo)\b/

/** Which promises are named by tests, and by which. */
export function coverageOf(promises: readonly Promised[], files: readonly TestFile[]): Coverage {
  const tests = new Map<string, Citation[]>(promises.map(({ id }) => [id, []]))
  const unknown: string[] = []
  for (const { path, text } of files) {
    for (const line of text.split('\n')) {
      if (NOT_RUN.test(line)) continue
      for (const [, , name = ''] of line.matchAll(QUOTED)) {
        for (const id of idsIn(name)) {
          const found = tests.get(id)
          if (found === undefined) unknown.push(`${id} (${path})`)
          else found.push({ path, name: name.replaceAll(LIST, '').trim() })
        }
      }
    }
  }
  return { tests, unknown, uncovered: promises.flatMap(({ id }) => (tests.get(id)?.length === 0 ? [id] : [])) }
}

function idsIn(name: string): string[] {
  return [...name.matchAll(LIST)].flatMap(([, list = '']) => list.split(/[\s,]+/))
}
