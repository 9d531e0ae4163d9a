import { LineCounter, isMap, isNode, isPair, isScalar, parseDocument, type Document } from 'yaml'
import type { FileProblem } from './file-problem.js'

export type Path = readonly (string | number)[]

/** A YAML text and the position of each value in it. */
export class YamlSource {
  readonly #text: string
  readonly #lines = new LineCounter()
  readonly #document: Document.Parsed

  constructor(text: string) {
    this.#text = text
    this.#document = parseDocument(text, { lineCounter: this.#lines, prettyErrors: false, uniqueKeys: true })
  }

  /** The problems that the YAML parser reports. */
  get problems(): FileProblem[] {
    return this.#document.errors.map((error) => ({ ...this.#place(error.pos[0]), message: error.message }))
  }

  /** Returns the values as JSON. @throws if aliases expand without bounds */
  get value(): unknown {
    return this.#document.toJS({ maxAliasCount: 50 }) as unknown
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
