import { describe, expect, it } from 'vitest'
import { englishFindings } from '../../scripts/lint/english.ts'

/** A phrase of the list; put together, so that this file does not contain it. */
const BAD = ['goes', 'on'].join(' ')

/** What is found in one file, as `line:column text`. */
function found(path: string, source: string): string[] {
  return englishFindings([{ path, source }], []).map(({ line, column, text }) => `${line}:${column} ${text}`)
}

describe('the check for plain English', () => {
  it('finds a phrase in comments, strings, templates and documents, at its place', () => {
    const at = (place: string) => [`${place} "${BAD}" reads as a translation: continue, keep running, proceed`]
    expect(found('a.ts', `const a = 1\n/** It ${BAD}. */\n`)).toEqual(at('2:8'))
    expect(found('a.ts', `throw new Error('It ${BAD}')`)).toEqual(at('1:21'))
    expect(found('a.ts', `f(\`\${1} it ${BAD} \${2}\`)`)).toEqual(at('1:12'))
    expect(found('a.mjs', `// It ${BAD}.`)).toEqual(at('1:7'))
    expect(found('a.md', `# Title\nIt ${BAD}.`)).toEqual(at('2:4'))
  })

  it('finds a phrase that is broken between lines, of comments and of documents', () => {
    const [first, second] = BAD.split(' ')
    expect(found('a.ts', `  // It ${first}\n  // ${second}.\n`)).toHaveLength(1)
    expect(found('a.ts', `/**\n * It ${first}\n * ${second}.\n */\n`)).toHaveLength(1)
    expect(found('a.md', `It ${first}\n${second}.`)).toHaveLength(1)
  })

  it('ignores code, names and single words', () => {
    expect(found('a.ts', `const nobody = read('nobody')`)).toEqual([])
    expect(found('a.md', `Call \`it ${BAD}\`.\n\`\`\`sh\nit ${BAD}\n\`\`\`\n`)).toEqual([])
  })

  it('wants a verb at the beginning of what a function returns', () => {
    const text = '1:1 a doc comment begins with a verb: "Returns whether …"'
    expect(found('a.ts', '/** Whether it is open. */\nexport function isOpen() {}')).toEqual([text])
    expect(found('a.ts', 'class A {\n/** Whether it is open. */\nisOpen(): boolean {}}')).toHaveLength(1)
    expect(found('a.ts', 'interface A {\n/** Whether it is open. */\nopen: boolean }')).toEqual([])
  })

  it('lets a quoted promise be, and reports an exception that is not needed', () => {
    const quoted = [{ text: `It ${BAD}`, promise: 'S-001' }]
    expect(englishFindings([{ path: 'a.ts', source: `f('It ${BAD}')` }], quoted)).toEqual([])
    expect(englishFindings([{ path: 'a.ts', source: 'f()' }], quoted)).toMatchObject([
      { text: `'It ${BAD}' no longer occurs: remove it from QUOTED` },
    ])
  })
})
