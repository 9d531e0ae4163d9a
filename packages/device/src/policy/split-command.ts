import { PolicyViolation } from './policy-violation.js'

const BLANK = /[ \t]/
/** What a shell would act on. No shell runs here, so acting on it is impossible and passing it on as text would mislead. */
const OPERATOR = /[;|&<>()`$\n\r]/
const PATTERN = /[*?[\]{}]/

function refuse(what: string): never {
  throw new PolicyViolation(
    'shell.operators',
    `${what} is not available: commands run without a shell. Put it in single quotes if it is meant as text`,
  )
}

/**
 * Splits a command line into words as a POSIX shell does, and refuses all that needs a shell: operators, redirections, substitutions,
 * variables, patterns, `~` and comments.
 * @throws PolicyViolation `shell.operators`
 */
export function splitCommand(line: string): string[] {
  if (line.includes('\0')) refuse('a NUL character')
  const words: string[] = []
  let word: string | null = null
  for (let at = 0; at < line.length; at += 1) {
    const char = line.charAt(at)
    if (BLANK.test(char)) {
      if (word !== null) words.push(word)
      word = null
    } else if (char === "'") {
      const end = line.indexOf("'", at + 1)
      if (end < 0) refuse('a quote without its end')
      word = (word ?? '') + line.slice(at + 1, end)
      at = end
    } else if (char === '"') {
      const quoted = doubleQuoted(line, at + 1)
      word = (word ?? '') + quoted.text
      at = quoted.end
    } else if (char === '\\') {
      at += 1
      if (at >= line.length || line.charAt(at) === '\n') refuse('a line continuation')
      word = (word ?? '') + line.charAt(at)
    } else if (OPERATOR.test(char)) {
      refuse(char === '\n' || char === '\r' ? 'a second line' : `'${char}'`)
    } else if (PATTERN.test(char)) {
      refuse(`the pattern character '${char}'`)
    } else if (word === null && (char === '~' || char === '#')) {
      refuse(`'${char}' at the start of a word`)
    } else {
      word = (word ?? '') + char
    }
  }
  if (word !== null) words.push(word)
  return words
}

/** Reads up to the closing `"`. In double quotes `\` escapes only `$`, backtick, `"` and `\` (POSIX, 2.2.3). */
function doubleQuoted(line: string, start: number): { text: string; end: number } {
  let text = ''
  for (let at = start; at < line.length; at += 1) {
    const char = line.charAt(at)
    if (char === '"') return { text, end: at }
    if (char === '$' || char === '`') refuse(`'${char}'`)
    const next = line.charAt(at + 1)
    if (char === '\\' && next === '\n') refuse('a line continuation')
    if (char === '\\' && next !== '' && '$`"\\'.includes(next)) {
      text += next
      at += 1
    } else {
      text += char
    }
  }
  return refuse('a quote without its end')
}
