import { Visitor, parseSync } from 'oxc-parser'
import type { Finding, SourceFile } from './finding.ts'

/** Only this file writes to a terminal, because it makes texts of devices, models and servers harmless. */
const WRITER = 'packages/cli/src/terminal/write.ts'
/** Programs of their own, whose output another process of Orrery reads through a pipe. */
const PIPED: ReadonlySet<string> = new Set(['packages/device/src/tools/pdf/pdf-reader.ts'])
const COMMAND_LINE = /^packages\/cli\/src\//
const SOURCE = /^packages\/[^/]+\/src\/.*\.ts$/
const STREAMS = new Set(['stdout', 'stderr'])
/** What the command line may ask a stream itself. */
const ASKED = /^\.(?:isTTY|columns|rows|on|off)\b/
/** Where a stream may be named without being asked anything: an argument, a default, a comparison. */
const NAMED = /^\s*(?:[,)\]}\n]|$)/
/** An object that is written to is a stream, going by its name. */
const STREAM_NAME = /(?:stream|std(?:out|err)|terminal|console)$/i

/** Finds what writes to the terminal in other ways than through the one file that does. */
export function terminalFindings(files: readonly SourceFile[]): Finding[] {
  return files.filter(({ path }) => SOURCE.test(path) && path !== WRITER && !PIPED.has(path)).flatMap(writesIn)
}

function writesIn({ path, source }: SourceFile): Finding[] {
  const findings: Finding[] = []
  const find = (start: number, text: string): void => {
    const before = source.slice(0, start).split('\n')
    findings.push({ path, line: before.length, column: (before.at(-1)?.length ?? 0) + 1, text: `${text}: use ${WRITER}` })
  }
  new Visitor({
    Identifier({ name, start }) {
      if (name === 'console') find(start, 'console writes to the terminal')
    },
    MemberExpression({ object, property, start, end }) {
      if (property.type !== 'Identifier') return
      const after = source.slice(end)
      if (object.type === 'Identifier' && object.name === 'process' && STREAMS.has(property.name)) {
        const allowed = COMMAND_LINE.test(path) && (ASKED.test(after) || NAMED.test(after)) && !isOutput(source, start)
        if (!allowed) find(start, `process.${property.name} is the terminal`)
      } else if (/^(?:write|end)$/.test(property.name) && STREAM_NAME.test(source.slice(object.start, object.end))) {
        if (COMMAND_LINE.test(path)) find(start, 'a stream is written to')
      }
    },
    VariableDeclarator({ id, init }) {
      if (id.type !== 'ObjectPattern' || init?.type !== 'Identifier' || init.name !== 'process') return
      for (const each of id.properties) {
        if (each.type === 'Property' && each.key.type === 'Identifier' && STREAMS.has(each.key.name))
          find(each.start, `process.${each.key.name} is the terminal`)
      }
    },
  }).visit(parseSync(path, source).program)
  return findings
}

/** Returns whether a stream is given to something that writes by itself, such as readline. */
function isOutput(source: string, start: number): boolean {
  return /\boutput:\s*$|\.pipe\(\s*$/.test(source.slice(0, start))
}
