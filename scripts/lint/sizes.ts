import { Visitor, parseSync } from 'oxc-parser'
import type { Finding, SourceFile } from './finding.ts'

/** A file is one thought; a class with more members is several. */
const MOST = { lines: 350, members: 15 }
/** Sources, and what runs beside them. */
const CHECKED = /^(packages\/[^/]+\/src|scripts|bench|eval|examples)\/.*\.(ts|mjs)$/
/** Tables: as long as what they list. */
const TABLES = /^packages\/aip\/src\/(api|records|messages)\/|\/errors\.ts$/

/** Finds files that are too long, and classes with too many public members. */
export function sizeFindings(files: readonly SourceFile[]): Finding[] {
  const checked = files.filter(({ path }) => CHECKED.test(path))
  return [...checked.flatMap(longFile), ...checked.flatMap(wideClasses)]
}

function longFile({ path, source }: SourceFile): Finding[] {
  const lines = source.trimEnd().split('\n').length
  if (lines <= MOST.lines || TABLES.test(path)) return []
  return [{ path, line: MOST.lines, column: 1, text: `has ${lines} lines; ${MOST.lines} are the most` }]
}

function wideClasses({ path, source }: SourceFile): Finding[] {
  const findings: Finding[] = []
  new Visitor({
    ClassBody({ body, start }) {
      // A getter and its setter are one member.
      const names = new Set(
        body.flatMap((member) => {
          if (!('key' in member) || member.key.type === 'PrivateIdentifier') return []
          if (member.accessibility === 'private' || member.accessibility === 'protected') return []
          const name = source.slice(member.key.start, member.key.end)
          return name === 'constructor' ? [] : [`${member.static ? 'static ' : ''}${name}`]
        }),
      )
      if (names.size > MOST.members) {
        const line = source.slice(0, start).split('\n').length
        findings.push({ path, line, column: 1, text: `the class has ${names.size} public members; ${MOST.members} are the most` })
      }
    },
  }).visit(parseSync(path, source).program)
  return findings
}
