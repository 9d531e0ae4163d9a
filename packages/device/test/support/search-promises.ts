import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { FILE_LIMITS } from '../../src/tools/files/limits.js'
import { sharedFolder } from './shared-folder.js'
import { temporaryFolders } from './temporary.js'

interface Found {
  matches: { path: string; line?: number; text?: string }[]
  truncated: boolean
}

const folder = temporaryFolders()
const posix = process.platform !== 'win32'

/** What `search_files` promises, whichever program searches. @param env decides which one is found */
export function describeSearch(name: string, env: NodeJS.ProcessEnv): void {
  describe(`search_files with ${name}`, () => {
    const searching = () => sharedFolder(folder(), { env })
    const paths = (root: string, { matches }: Found): string[] =>
      matches.map(({ path, line }) => `${path.slice(root.length + 1)}:${line ?? ''}`)

    it('finds by name, by content, and by both', async () => {
      await using at = await searching()
      mkdirSync(join(at.root, 'src/deep'), { recursive: true })
      mkdirSync(join(at.root, 'node_modules'))
      if (posix) writeFileSync(join(at.root, 'src/odd\\name.log'), 'odd\n')
      writeFileSync(join(at.root, 'src/b.ts'), 'const Two = 2 // a.b\n')
      writeFileSync(join(at.root, 'src/deep/c.md'), 'x\ntwo a+b\n')
      writeFileSync(join(at.root, 'src/.hidden.ts'), 'two')
      writeFileSync(join(at.root, '.gitignore'), 'src')
      writeFileSync(join(at.root, 'node_modules/d.ts'), 'two\n')
      writeFileSync(join(at.root, 'bin'), 'two\0two')
      const search = async (args: object): Promise<string[]> => paths(at.root, await at.tools.value<Found>('search_files', args))
      expect(await search({ glob: '*.ts' })).toEqual(['src/.hidden.ts:', 'src/b.ts:'])
      expect(await search({ glob: 'src/**/*.{md,txt}' })).toEqual(['src/deep/c.md:'])
      expect((await search({ text: 'two' })).sort()).toEqual(['a.txt:2', 'src/.hidden.ts:1', 'src/deep/c.md:2'])
      expect(await search({ text: 'two', glob: '*.md' })).toEqual(['src/deep/c.md:2'])
      expect(await search({ text: 'TWO', ignore_case: true, path: 'src/deep' })).toEqual(['src/deep/c.md:2'])
      expect(await search({ text: 'a.b' })).toEqual(['src/b.ts:1'])
      expect(await search({ text: '^tw[o]', regex: true, glob: '*.txt' })).toEqual(['a.txt:2'])
      expect(await search({ text: '-x' })).toEqual([])
      if (posix) expect(await search({ text: 'odd' })).toEqual(['src/odd\\name.log:1'])
      expect(await search({ text: 'two', skip_folders: [], glob: 'd.ts' })).toEqual(['node_modules/d.ts:1'])
      expect(await at.tools.value('search_files', { text: 'e', limit: 1 })).toMatchObject({
        matches: [{ text: 'one' }],
        truncated: true,
      })
      expect(await at.tools.error('search_files', { text: '(', regex: true })).toMatch(/regex|regular expression/i)
    })

    it('shows no more of a line than is useful, and gives up a pattern that takes forever', async () => {
      await using at = await searching()
      writeFileSync(join(at.root, 'a.txt'), 'a'.repeat(5000))
      const { matches } = await at.tools.value<Found>('search_files', { text: 'aaa' })
      expect(matches[0]?.text?.length).toBe(FILE_LIMITS.line + 1)
      const answer = await at.tools.call('search_files', { text: '(a+)+$b', regex: true })
      expect(answer.error ?? '').toMatch(/^$|takes too long/)
    })

    it('finds words in files that are not UTF-8', async () => {
      await using at = await searching()
      writeFileSync(join(at.root, 'latin1.txt'), Buffer.from('un café crème\nplain\n', 'latin1'))
      writeFileSync(join(at.root, 'utf8.txt'), 'plain\ncafé\n')
      writeFileSync(join(at.root, 'utf16.txt'), Buffer.from('\uFEFFhello\nun café\n', 'utf16le'))
      writeFileSync(join(at.root, 'utf16be.txt'), Buffer.from('\uFEFFcafé', 'utf16le').swap16())
      // Its bytes hold those of the word as Latin-1 has it.
      writeFileSync(join(at.root, 'other.txt'), 'caf\u9000')
      for (const args of [{ text: 'café' }, { text: 'CAFé', ignore_case: true }])
        expect(paths(at.root, await at.tools.value<Found>('search_files', args)).toSorted()).toEqual([
          'latin1.txt:1',
          'utf16.txt:2',
          'utf16be.txt:1',
          'utf8.txt:2',
        ])
      const { matches } = await at.tools.value<Found>('search_files', { text: 'café', glob: 'latin1.txt' })
      expect(matches[0]?.text).toBe('un café crème')
      expect(paths(at.root, await at.tools.value<Found>('search_files', { text: 'un c' })).toSorted()).toEqual([
        'latin1.txt:1',
        'utf16.txt:2',
      ])
    })

    it('does not leave the root', async () => {
      await using at = await searching()
      symlinkSync(at.outside, join(at.root, 'out'))
      symlinkSync(join(at.outside, 'secret'), join(at.root, 'file'))
      expect(await at.tools.value('search_files', { text: 'secret' })).toMatchObject({ matches: [] })
      expect(await at.tools.error('search_files', { text: 'secret', path: 'out' })).toContain('outside of the folders')
    })
  })
}
