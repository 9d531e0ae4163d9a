import { aipError, type AipError } from '@orrery/aip'
import { findNodeAtLocation, parseTree, printParseErrorCode, type JSONPath, type Node, type ParseError } from 'jsonc-parser'
import { DEVICE_LIMITS } from '../limits.js'

/** What is to be said about a place. */
interface Note {
  offset: number
  message: string
}

/** The text of a configuration file, and what is wrong in it at which place. */
export class ConfigText {
  /** Undefined for an empty text, or one that is malformed. */
  readonly root: Node | undefined
  readonly #name: string
  readonly #text: string
  readonly #problems: Note[] = []
  readonly #warnings: Note[] = []
  /** Where the file has a value that is known under another path, by that path. */
  readonly #written = new Map<string, JSONPath>()
  readonly #isMalformed: boolean

  /** @param name of the file, as the places have it */
  constructor(text: string, name: string) {
    this.#text = text
    this.#name = name
    const { root, errors } = parsed(text)
    for (const { offset, error } of errors)
      this.problemAt(offset, SYNTAX[printParseErrorCode(error)] ?? printParseErrorCode(error))
    if (root === undefined && errors.length === 0)
      this.problemAt(0, text.trim() === '' ? 'the file is empty' : 'it is nested too deeply')
    this.#isMalformed = root === undefined || errors.length > 0
    if (root !== undefined && !this.#isMalformed) this.#findBadKeys(root)
    this.root = this.#problems.length === 0 ? root : undefined
  }

  /** Returns where a value is, as `file:line:column`. A missing value has the place of what it should be in. */
  placeOf(path: JSONPath): string {
    return this.#place(this.nodeAt(path)?.offset ?? 0)
  }

  /** The value at a path, or the nearest around it. */
  nodeAt(known: JSONPath): Node | undefined {
    const path = this.#asWritten(known)
    let node: Node | undefined
    for (let depth = path.length; node === undefined && depth >= 0; depth -= 1) node = this.find(path.slice(0, depth))
    return node
  }

  /** Returns the value at a path, if it exists. */
  find(path: JSONPath): Node | undefined {
    return this.root && findNodeAtLocation(this.root, path)
  }

  /** A value that is known under a path is in the file under another. */
  isWritten(known: JSONPath, written: JSONPath): void {
    this.#written.set(JSON.stringify(known), written)
  }

  /** A path as the file names it: `policy[0].do`. */
  nameOf(known: JSONPath): string {
    const parts = this.#asWritten(known).map((part, at) =>
      typeof part === 'number' ? `[${part}]` : `${at === 0 ? '' : '.'}${part}`,
    )
    return parts.join('') || 'the file'
  }

  /** Notes something that is valid and may surprise, with its place. */
  warnAt(path: JSONPath, message: string): void {
    const node = this.find(path)
    this.#warnings.push({ offset: node?.parent?.offset ?? this.nodeAt(path)?.offset ?? 0, message })
  }

  /** What was noted, a line for each in the order of the file. */
  warnings(): string[] {
    return this.#lines(this.#warnings)
  }

  /** Notes a mistake. @param offset in characters */
  problemAt(offset: number, message: string): void {
    this.#problems.push({ offset, message })
  }

  /** All mistakes as one AipError `INVALID_CONFIG`, a line for each in the order of the file; null if there are none. */
  mistakes(): AipError | null {
    if (this.#problems.length === 0) return null
    const most = this.#isMalformed ? DEVICE_LIMITS.configSyntaxMistakes : DEVICE_LIMITS.configMistakes
    const lines = this.#lines(this.#problems)
    const more = lines.length > most ? [`and ${lines.length - most} more`] : []
    return aipError('INVALID_CONFIG', { detail: [...lines.slice(0, most), ...more].join('\n') })
  }

  #lines(notes: readonly Note[]): string[] {
    return notes.toSorted((a, b) => a.offset - b.offset).map(({ offset, message }) => `${this.#place(offset)}: ${message}`)
  }

  /** The list of rules may stand for the whole policy. */
  #asWritten(known: JSONPath): JSONPath {
    const [first, second, ...rest] = known
    if (first === 'policy' && second === 'rules' && this.find(['policy'])?.type === 'array') return ['policy', ...rest]
    for (let length = known.length; length > 0; length -= 1) {
      const written = this.#written.get(JSON.stringify(known.slice(0, length)))
      if (written !== undefined) return [...written, ...known.slice(length)]
    }
    return known
  }

  #place(offset: number): string {
    const before = this.#text.slice(0, offset).split('\n')
    return `${this.#name}:${before.length}:${(before.at(-1)?.length ?? 0) + 1}`
  }

  /** The parser takes the last of two keys and a key `__proto__`: both are refused. */
  #findBadKeys(node: Node): void {
    const seen = new Set<unknown>()
    for (const child of node.children ?? []) {
      const key = child.type === 'property' ? child.children?.[0] : undefined
      if (key !== undefined) {
        if (seen.has(key.value)) this.problemAt(key.offset, `the key '${String(key.value)}' is there twice`)
        if (key.value === '__proto__') this.problemAt(key.offset, "the key '__proto__' is not allowed")
        seen.add(key.value)
      }
      this.#findBadKeys(child)
    }
  }
}

/** Mistakes of the parser in words. */
const SYNTAX: Readonly<Record<string, string>> = {
  InvalidSymbol: 'this is not JSON; names and texts are in double quotes',
  InvalidNumberFormat: 'this is not a number',
  PropertyNameExpected: 'a key in double quotes is expected here',
  ValueExpected: 'a value is expected here',
  ColonExpected: "a ':' is expected here",
  CommaExpected: "a ',' is expected here",
  CloseBraceExpected: "a '}' is expected here",
  CloseBracketExpected: "a ']' is expected here",
  EndOfFileExpected: 'nothing may follow here',
  InvalidCommentToken: 'this comment has no end',
  UnexpectedEndOfComment: 'this comment has no end',
  UnexpectedEndOfString: 'this text has no closing quote',
  UnexpectedEndOfNumber: 'this number has no end',
  InvalidUnicode: String.raw`after \u there are four digits of base 16`,
  InvalidEscapeCharacter: String.raw`a backslash is written twice in a text: \\`,
  InvalidCharacter: 'this character must be written as an escape, such as \\t or \\n',
}

/** The parser goes down into itself: what is nested too deeply overflows the stack. */
function parsed(text: string): { root: Node | undefined; errors: ParseError[] } {
  const errors: ParseError[] = []
  try {
    return { root: parseTree(text, errors, { allowTrailingComma: true }), errors }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    return { root: undefined, errors: [] }
  }
}
