import { aipError, type AipError } from '@orrery/aip'
import { findNodeAtLocation, parseTree, printParseErrorCode, type JSONPath, type Node, type ParseError } from 'jsonc-parser'
import { DEVICE_LIMITS } from '../limits.js'

/** The text of a configuration file, and what is wrong in it at which place. */
export class ConfigText {
  /** Undefined for an empty text, or one that is malformed. */
  readonly root: Node | undefined
  readonly #name: string
  readonly #text: string
  readonly #problems: { offset: number; message: string }[] = []

  /** @param name of the file, as the places have it */
  constructor(text: string, name: string) {
    this.#text = text
    this.#name = name
    const errors: ParseError[] = []
    const root = parseTree(text, errors, { allowTrailingComma: true })
    for (const { offset, error } of errors) this.problemAt(offset, printParseErrorCode(error))
    if (root === undefined && errors.length === 0) this.problemAt(0, 'the file is empty')
    if (root !== undefined) this.#findBadKeys(root)
    this.root = this.#problems.length === 0 ? root : undefined
  }

  /** Returns where a value is, as `file:line:column`. A missing value has the place of what it should be in. */
  placeOf(path: JSONPath): string {
    return this.#place(this.nodeAt(path)?.offset ?? 0)
  }

  /** The value at a path, or the nearest around it. */
  nodeAt(path: JSONPath): Node | undefined {
    let node: Node | undefined
    for (let depth = path.length; node === undefined && depth >= 0; depth -= 1) node = this.find(path.slice(0, depth))
    return node
  }

  /** Returns the value at a path, if it exists. */
  find(path: JSONPath): Node | undefined {
    return this.root && findNodeAtLocation(this.root, path)
  }

  /** Notes a mistake. @param offset in characters */
  problemAt(offset: number, message: string): void {
    this.#problems.push({ offset, message })
  }

  /** All mistakes as one AipError `INVALID_CONFIG`, a line for each in the order of the file; null if there are none. */
  mistakes(): AipError | null {
    if (this.#problems.length === 0) return null
    const lines = this.#problems
      .toSorted((a, b) => a.offset - b.offset)
      .slice(0, DEVICE_LIMITS.configMistakes)
      .map(({ offset, message }) => `${this.#place(offset)}: ${message}`)
    return aipError('INVALID_CONFIG', { detail: lines.join('\n') })
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
