import { Lexer, LineCounter, isAlias, isMap, isNode, isPair, isScalar, parseDocument, visit, type Document } from 'yaml'
import { WholeNumber } from '@orrery/aip'
import { GRAPH_LIMITS } from '../limits.js'
import type { FileProblem } from './file-problem.js'

export type Path = readonly (string | number)[]

/** A YAML text and the position of each value in it. */
export class YamlSource {
  readonly #text: string
  readonly #lines = new LineCounter()
  readonly #document: Document.Parsed

  /** @param text of a file of the operator, or one that {@link isTooComplex} does not refuse */
  constructor(text: string) {
    this.#text = text
    // The parser compares each key with all others.
    this.#document = parseDocument(text, { lineCounter: this.#lines, prettyErrors: false, uniqueKeys: false, intAsBigInt: true })
  }

  /** The problems that the YAML parser reports, keys that come twice, tags that mean nothing, and numbers that are too large. */
  get problems(): FileProblem[] {
    const { errors } = this.#document
    if (errors.length === 0)
      return [...this.#repeatedKeys(), ...this.#keysOfParts(), ...this.#unknownTags(), ...this.#largeNumbers()]
    return this.#parseErrors()
  }

  /** Returns the values as JSON; an integer that JavaScript would round is a {@link WholeNumber}. @throws if aliases expand without bounds */
  get value(): unknown {
    const reviver = (_key: unknown, value: unknown): unknown => (typeof value === 'bigint' ? WholeNumber.of(value) : value)
    return this.#document.toJS({ maxAliasCount: 50, reviver }) as unknown
  }

  /** Locates a problem at the value of a path, or at its nearest existing ancestor. */
  problemAt(path: Path, message: string): FileProblem {
    return { ...this.#place(this.#offset(path)), message }
  }

  /** Locates a problem at a key of the map at a path. */
  problemAtKey(path: Path, key: string, message: string): FileProblem {
    const map = path.length === 0 ? this.#document.contents : this.#document.getIn(path, true)
    const pair = isMap(map) ? map.items.find((item) => isPair(item) && isScalar(item.key) && item.key.value === key) : undefined
    const offset = pair !== undefined && isNode(pair.key) ? pair.key.range?.[0] : undefined
    return { ...this.#place(offset ?? this.#offset(path)), message }
  }

  /** Locates a problem inside the text at a path: `offset` characters after its `occurrence`th `needle` in the source. */
  problemInText(path: Path, needle: string, occurrence: number, offset: number, message: string): FileProblem {
    let at = this.#offset(path)
    for (let count = 0; count <= occurrence; count += 1) {
      const next = this.#text.indexOf(needle, count === 0 ? at : at + needle.length)
      if (next < 0) return this.problemAt(path, message)
      at = next
    }
    return { ...this.#place(at + offset), message }
  }

  #repeatedKeys(): FileProblem[] {
    const problems: FileProblem[] = []
    visit(this.#document, {
      Map: (_, { items }) => {
        const seen = new Set<unknown>()
        for (const { key } of items) {
          if (!isScalar(key)) continue
          if (seen.has(key.value)) problems.push({ ...this.#place(key.range?.[0] ?? 0), message: 'Map keys must be unique' })
          seen.add(key.value)
        }
        return problems.length >= GRAPH_LIMITS.fileProblems ? visit.BREAK : undefined
      },
    })
    return problems
  }

  /**
   * What the parser reports first: the rest nearly always follows from that. An expression between brackets without quotes, which it reports
   * several times, is reported as what it is.
   */
  #parseErrors(): FileProblem[] {
    const found = this.#document.errors.map(({ pos: [offset], message }) => {
      const unquoted = this.#text.startsWith('${{', offset - 1)
      const text = unquoted ? 'an expression between { } or [ ] must be in quotes: "${{ … }}"' : message
      return { unquoted, ...this.#place(unquoted ? offset - 1 : offset), message: text }
    })
    const causes = found.some(({ unquoted }) => unquoted) ? found.filter(({ unquoted }) => unquoted) : found
    const firstOfLine = causes.filter(({ line }, index) => causes.findIndex((other) => other.line === line) === index)
    return firstOfLine.slice(0, GRAPH_LIMITS.syntaxProblems).map(({ line, column, message }) => ({ line, column, message }))
  }

  /** A map or a list as a key is nearly always `${{ }}` without quotes, which YAML takes for maps. */
  #keysOfParts(): FileProblem[] {
    const problems: FileProblem[] = []
    visit(this.#document, {
      Pair: (_, { key }) => {
        if (isScalar(key) || !isNode(key) || isAlias(key)) return
        const message = 'a key must be a word: put an expression ${{ }} in quotes'
        problems.push({ ...this.#place(key.range?.[0] ?? 0), message })
      },
    })
    return problems.slice(0, GRAPH_LIMITS.fileProblems)
  }

  /** A value that begins with `!` is a tag to YAML, and its text is lost: `if: !cancelled()`. */
  #unknownTags(): FileProblem[] {
    const problems: FileProblem[] = []
    visit(this.#document, {
      Node: (_, { tag, range }) => {
        if (tag === undefined || !tag.startsWith('!') || range === null || range === undefined) return
        const tagged = this.#text.lastIndexOf(tag, range[0])
        const message = `YAML takes '${tag}' for a tag, because it begins with '!': put the value in quotes, or in \${{ }}`
        problems.push({ ...this.#place(tagged < 0 ? range[0] : tagged), message })
      },
    })
    return problems.slice(0, GRAPH_LIMITS.fileProblems)
  }

  #largeNumbers(): FileProblem[] {
    const problems: FileProblem[] = []
    visit(this.#document, {
      Scalar: (_, { value, range }) => {
        if (typeof value !== 'bigint') return
        try {
          WholeNumber.of(value)
        } catch (error) {
          problems.push({ ...this.#place(range?.[0] ?? 0), message: error instanceof Error ? error.message : String(error) })
        }
      },
    })
    return problems.slice(0, GRAPH_LIMITS.fileProblems)
  }

  #offset(path: Path): number {
    for (let length = path.length; length > 0; length -= 1) {
      const node = this.#document.getIn(path.slice(0, length), true)
      if (isNode(node) && node.range) return node.range[0]
    }
    return this.#document.contents?.range[0] ?? 0
  }

  #place(offset: number): { line: number; column: number } {
    const { line, col } = this.#lines.linePos(offset)
    return { line, column: col }
  }
}

/** Returns why a text is not read as YAML although it is short: reading it would take too long. Null if it may be read. */
export function isTooComplex(text: string): string | null {
  const { yamlTokens, yamlNesting } = GRAPH_LIMITS
  let tokens = 0
  let flow = 0
  let onLine = 0
  // The lexer gives one token after the other, so it stops with this loop.
  for (const token of new Lexer().lex(text)) {
    tokens += 1
    if (tokens > yamlTokens) return `more than ${yamlTokens} words and marks`
    if (token === '\n' || token === '\r\n') onLine = 0
    else if (token === '[' || token === '{') flow += 1
    else if (token === ']' || token === '}') flow -= 1
    else if (token === '-' || token === '?' || token === ':') onLine += 1
    if (flow > yamlNesting || (flow <= 0 && onLine > yamlNesting)) return `more than ${yamlNesting} levels`
  }
  return null
}
