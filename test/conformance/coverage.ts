/** One promise of the seed documents. */
export interface Promised {
  id: string
  seed: 'websocket_client' | 'websocket_handler_v1' | 'ufo_client' | 'websocket_handler_v2'
  /** The seed's own words, exactly as they are there. */
  quote: string
  exception?: Exception
}

/** Why a promise does not hold as it is written. Its own tests show what holds instead. */
export interface Exception {
  /** Whether the seeds, or a seed and the wire, contradict each other, or Orrery chose otherwise. */
  kind: 'contradiction' | 'choice'
  /** The entry of the list of contradictions that decides. */
  contradiction?: string
  reason: string
  /** The setting that gives the seed's behaviour; null where there is none, as the reason says. */
  setting: string | null
  /** The test in which the setting gives it: its file, and its name without the ids of promises. */
  test?: Citation
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
  /** Exceptions whose setting is shown by no test, each with what is wrong. */
  unshown: string[]
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
  return {
    tests,
    unknown,
    uncovered: promises.flatMap(({ id }) => (tests.get(id)?.length === 0 ? [id] : [])),
    unshown: promises.flatMap(({ id, exception }) => {
      const problem = exception === undefined ? null : problemOf(exception, files)
      return problem === null ? [] : [`${id}: ${problem}`]
    }),
  }
}

function idsIn(name: string): string[] {
  return [...name.matchAll(LIST)].flatMap(([, list = '']) => list.split(/[\s,]+/))
}

/** A text in quotes. */
const NAMED = /(["'`])((?:\\.|(?!\1)[^\\\n])+)\1/g

/** Returns what is wrong with an exception; null if a test shows its setting, or it has none. */
function problemOf({ kind, contradiction, setting, test }: Exception, files: readonly TestFile[]): string | null {
  if (kind === 'contradiction' && contradiction === undefined) return 'names no contradiction'
  if (setting === null) return test === undefined ? null : 'names a test without a setting'
  if (test === undefined) return `names no test in which '${setting}' gives the behaviour of the seed`
  const file = files.find(({ path }) => path === test.path)
  if (file === undefined) return `there is no test file ${test.path}`
  return namesIn(file.text).includes(test.name) ? null : `there is no test '${test.name}' in ${test.path}`
}

/** The texts in quotes of a test file, names of tests among them, without the ids of promises; those of tests that do not run are left out. */
export function namesIn(text: string): string[] {
  const runs = text.split('\n').filter((line) => !NOT_RUN.test(line))
  return runs.flatMap((line) => [...line.matchAll(NAMED)].map(([, , name = '']) => name.replaceAll(LIST, '').trim()))
}
