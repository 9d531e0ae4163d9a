import { posix } from 'node:path'
import { Visitor, parseSync } from 'oxc-parser'
import type { SourceFile } from './finding.ts'

/** One import between two files of a package; both are paths relative to the root. */
export interface Import {
  from: string
  to: string
  line: number
}

/** Returns the imports of a file's neighbours: relative ones, types included, `export … from` and `import()` too. */
export function importsOf({ path, source }: SourceFile): Import[] {
  const { module, program } = parseSync(path, source)
  const found = [
    ...module.staticImports.map(({ moduleRequest }) => moduleRequest),
    ...module.staticExports.flatMap(({ entries }) => entries.flatMap(({ moduleRequest }) => moduleRequest ?? [])),
  ].map(({ value, start }) => ({ value, start }))
  const add = ({ source: named }: { source: { type: string; start: number; value?: unknown } }): void => {
    if (typeof named.value === 'string') found.push({ value: named.value, start: named.start })
  }
  new Visitor({ ImportExpression: add, TSImportType: add }).visit(program)
  return found
    .filter(({ value }) => value.startsWith('.'))
    .map(({ value, start }) => ({
      from: path,
      to: posix.join(posix.dirname(path), value).replace(/\.js$/, '.ts'),
      line: source.slice(0, start).split('\n').length,
    }))
}
