import { globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { LISTED, type Listed } from './tables.js'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** The SDK's errors are a class of their own; the others are made by functions that take the code first. */
const CHECKED = LISTED.filter(({ name }) => !name.startsWith('constellation'))
const CODES: readonly string[] = CHECKED.map(({ code }) => code)

/** Words that a test looks for, of errors whose code no test names and whose text none has whole. */
const WORDS: Readonly<Record<string, string>> = {
  INVALID_TASK_NAME: 'Invalid task_name: must be a non-empty string',
  NO_AGENT: 'No model is configured',
  MODEL_RATE_LIMITED: 'the account of the key in',
  MODEL_WITHOUT_TOOLS: 'cannot call tools',
  MODEL_SETTING_REFUSED: 'does not accept',
  MODEL_CALLS_AS_TEXT: 'writes its calls as text',
  MODEL_CONTEXT_EXCEEDED: 'does not fit the window of',
  MODEL_WITHOUT_IMAGES: 'set model.images to false',
  MODEL_CUT_OFF: 'stops in the middle of its answers',
  MODEL_SILENT: 'model.timeout_s',
  MODEL_BUDGET_SPENT: 'stopped after',
  PATH_ANCHORED: 'neither moved nor deleted',
  EDIT_UNMATCHED: 'give more of its surroundings, or set replace_all',
  JOB_ENDED: 'no longer takes input',
}

describe('every error code', () => {
  const thrown = new Set(sources(['packages/*/src/**/*.ts']).flatMap(codesMade))
  const tests = sources(['packages/*/test/**/*.ts', 'test/**/*.ts'])
    .filter((text) => !text.includes('const WORDS'))
    .join('\n')

  it.each(CODES)('%s is made by some source', (code) => {
    expect(thrown).toContain(code)
  })

  it.each(LISTED.filter(({ name }) => name.startsWith('constellation')))(
    '$name is named by some source and some test',
    ({ code }) => {
      expect(sources(['packages/constellation/src/client/*.ts']).join('\n')).toContain(`'${code}'`)
      expect(tests).toMatch(new RegExp(`\\b${code}\\b`))
    },
  )

  it('that a source makes is in a table', () => {
    expect([...thrown].filter((code) => !CODES.includes(code))).toEqual([])
  })

  it.each(CHECKED)('$name is looked for by some test', (listed) => {
    const { code } = listed
    const text = textOf(listed)
    const found = new RegExp(`\\b${code}\\b`).test(tests) || tests.includes(longestPart(text))
    const words = WORDS[code]
    if (words === undefined) return expect(found).toBe(true)
    expect(found, 'needs no entry in WORDS').toBe(false)
    expect(text).toContain(words)
    expect(tests).toContain(words)
  })
})

function sources(patterns: readonly string[]): string[] {
  return globSync(patterns, { cwd: ROOT, exclude: (path) => path.endsWith('node_modules') || path.endsWith('dist') })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => readFileSync(`${ROOT}/${path}`, 'utf8'))
}

/** The codes in the first argument of what makes an error. */
function codesMade(source: string): string[] {
  return [...source.matchAll(/\b(?:(?:aip|server|device)Error|errorText|(?:server|device)ErrorText|AipError)\(/g)].flatMap(
    ({ index, 0: call }) => {
      const argument = firstArgument(source, index + call.length)
      return [...argument.matchAll(/'([A-Z][A-Z_]+)'/g)].map(([, code]) => code ?? '')
    },
  )
}

function firstArgument(source: string, start: number): string {
  let depth = 0
  for (let at = start; at < source.length; at += 1) {
    const char = source[at] ?? ''
    if (depth === 0 && (char === ',' || char === ')')) return source.slice(start, at)
    if ('([{'.includes(char)) depth += 1
    if (')]}'.includes(char)) depth -= 1
  }
  return ''
}

/** The text with holes for its values. */
function textOf({ text }: Listed): string {
  return text(new Proxy({}, { get: () => '\0' }))
}

function longestPart(text: string): string {
  return (
    text
      .split('\0')
      .map((part) => part.trim())
      .sort((a, b) => b.length - a.length)[0] ?? text
  )
}
