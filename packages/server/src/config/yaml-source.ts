import { LineCounter, isMap, isNode, isPair, isScalar, parseDocument, type Document } from 'yaml'
import type { FileProblem } from './file-problem.js'

export type Path = readonly (string | number)[]

/** A YAML text, and where in it each value stands. */
export class YamlSource {
  readonly #text: string
  readonly #lines = new LineCounter()
  readonly #document: Document.Parsed

  constructor(text: string) {
    this.#text = text
    this.#document = parseDocument(text, { lineCounter: this.#lines, prettyErrors: false, uniqueKeys: true })
  }

  /** What YAML itself complains about. */
  get problems(): FileProblem[] {
    return this.#document.errors.map((error) => ({ ...this.#place(error.pos[0]), message: error.message }))
  }

  /** The values, as JSON. @throws for aliases that would grow beyond measure */
  get value(): unknown {
    return this.#document.toJS({ maxAliasCount: 50 }) as unknown
  }

  /** A problem at the value of a path; at the nearest value around it that exists. */
  problemAt(path: Path, message: string): FileProblem {
    return { ...this.#place(this.#offset(path)), message }
  }

  /** A problem at a key of the map at a path. */
  problemAtKey(path: Path, key: string, message: string): FileProblem {
    const map = path.length === 0 ? this.#document.contents : this.#document.getIn(path, true)
    const pair = isMap(map) ? map.items.find((item) => isPair(item) && isScalar(item.key) && item.key.value === key) : undefined
    const offset = pair !== undefined && isNode(pair.key) ? pair.key.range?.[0] : undefined
    return { ...this.#place(offset ?? this.#offset(path)), message }
  }

  /** A problem inside the text at a path: `offset` characters after where its `occurrence`th `needle` stands in the source. */
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
