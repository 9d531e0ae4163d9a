import { describe, expect, it } from 'vitest'
import { terminalFindings } from '../../scripts/lint/terminal.ts'

const CLI = 'packages/cli/src/commands/x.ts'
const found = (source: string, path = CLI): string[] =>
  terminalFindings([{ path, source }]).map(({ line, text }) => `${line}: ${text.split(':')[0]}`)

describe('only one file writes to the terminal', () => {
  it.each([
    ['console.log(text)', 'console writes to the terminal'],
    ['process.stdout.write(text)', 'process.stdout is the terminal'],
    ['source.pipe(process.stderr)', 'process.stderr is the terminal'],
    ['const { stderr } = process', 'process.stderr is the terminal'],
    ['createInterface({ output: process.stdout })', 'process.stdout is the terminal'],
    ['this.#stream.write(text)', 'a stream is written to'],
  ])('%s', (source, text) => expect(found(`\n${source}\n`)).toContain(`2: ${text}`))

  it('others may ask a stream, pass it on, and write files', () => {
    expect(found('if (process.stdout.isTTY) fit(text, columnsOf(process.stdout, 80))\nhandle.write(bytes)\n')).toEqual([])
    expect(found('process.stdout.write(text)', 'packages/cli/src/terminal/write.ts')).toEqual([])
  })

  it('the other packages have no terminal at all', () => {
    expect(found('print(process.stdout)', 'packages/device/src/x.ts')).toEqual(['1: process.stdout is the terminal'])
    expect(found('socket.write(bytes)', 'packages/device/src/x.ts')).toEqual([])
  })
})
