import { FOLDER_ORDERS, type FolderOrder } from './folder-order.ts'
import { importsOf, type Import } from './imports.ts'
import type { Finding, SourceFile } from './finding.ts'

const LIST = 'scripts/lint/folder-order.ts'

/**
 * Finds imports against the order of the folders, and cycles between files and between folders, imports of types included.
 * dependency-cruiser, which is made for this, sees imports of types only through the JavaScript API of TypeScript, and
 * TypeScript 7 has none; oxlint's `import/no-cycle` ignores types and knows no order.
 */
export function folderFindings(files: readonly SourceFile[], orders: readonly FolderOrder[] = FOLDER_ORDERS): Finding[] {
  const imports = files.filter(({ path }) => /^packages\/[^/]+\/src\/.*\.ts$/.test(path)).flatMap(importsOf)
  const known = new Set(orders.flatMap(({ src, known: list }) => list.map(({ from, to }) => `${src}/${from} ${src}/${to}`)))
  const between = imports.filter(({ from, to }) => !known.has(`${from} ${to}`)).flatMap(betweenFolders)
  return [...orders.flatMap((order) => orderFindings(imports, order)), ...cycleFindings(imports), ...cycleFindings(between)]
}

/** An import as one between the two folders, beside each other, in which its files are; none if one holds the other. */
function betweenFolders({ from, to, line }: Import): Import[] {
  const [source, target] = [from.split('/').slice(0, -1), to.split('/').slice(0, -1)]
  const fork = source.findIndex((name, depth) => name !== target[depth])
  if (fork < 0 || fork >= target.length) return []
  return [{ from: source.slice(0, fork + 1).join('/'), to: target.slice(0, fork + 1).join('/'), line }]
}

function orderFindings(imports: readonly Import[], { src, layers, known }: FolderOrder): Finding[] {
  const level = new Map(layers.flatMap((names, depth) => names.split(' ').map((name) => [name, depth] as const)))
  /** The folder of a file below `src`, or its own name. */
  const room = (path: string): string => path.slice(src.length + 1).replace(/\/.*|\.ts$/, '')
  const own = imports.filter(({ from }) => from.startsWith(`${src}/`))
  const places = [...new Set(own.flatMap(({ from, to }) => [room(from), room(to)]))]
  const against = own.filter(
    ({ from, to }) => room(from) !== room(to) && (level.get(room(from)) ?? -1) >= (level.get(room(to)) ?? 0),
  )
  const isKnown = (item: Import): boolean =>
    known.some(({ from, to }) => item.from === `${src}/${from}` && item.to === `${src}/${to}`)
  return [
    ...places
      .filter((name) => !level.has(name))
      .map((name) => ({ path: LIST, line: 1, column: 1, text: `'${name}' of ${src} is in no layer` })),
    ...against
      .filter((item) => !isKnown(item))
      .map(({ from, to, line }) => ({
        path: from,
        line,
        column: 1,
        text: `imports ${to.slice(src.length + 1)}, which is not below '${room(from)}'`,
      })),
    ...known
      .filter(({ from, to }) => !against.some((item) => item.from === `${src}/${from}` && item.to === `${src}/${to}`))
      .map(({ from, to }) => ({
        path: LIST,
        line: 1,
        column: 1,
        text: `${from} no longer imports ${to} against the order: remove it`,
      })),
  ]
}

/** Reports each cycle once, at the import that closes it. */
function cycleFindings(imports: readonly Import[]): Finding[] {
  const next = Map.groupBy(imports, ({ from }) => from)
  const done = new Set<string>()
  const findings: Finding[] = []
  const visit = (path: string, trail: readonly string[]): void => {
    for (const { from, to, line } of next.get(path) ?? []) {
      const start = trail.indexOf(to)
      if (start >= 0)
        findings.push({ path: from, line, column: 1, text: `closes a cycle: ${[...trail.slice(start), to].join(' → ')}` })
      else if (!done.has(to)) visit(to, [...trail, to])
    }
    done.add(path)
  }
  for (const path of next.keys()) if (!done.has(path)) visit(path, [path])
  return findings
}
