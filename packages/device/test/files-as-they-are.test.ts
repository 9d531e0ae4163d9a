import { existsSync, lstatSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DeviceConfig, explainPolicy } from '../src/index.js'
import { replaceText } from '../src/tools/files/replace-text.js'
import { sharedFolder } from './support/shared-folder.js'
import { temporaryFolders } from './support/temporary.js'

const folder = temporaryFolders()
const posix = process.platform !== 'win32'
const shared = () => sharedFolder(folder())
const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1')
const utf16 = (text: string): Buffer => Buffer.from(`\uFEFF${text}`, 'utf16le')

interface Read {
  content: string
  encoding: string
  offset: number
  bytes: number
  next_offset?: number
  next_line?: number
}

describe('line ends', () => {
  it('are those of the file, whatever the edit has', async () => {
    await using at = await shared()
    const path = join(at.root, 'crlf.txt')
    writeFileSync(path, 'one\r\ntwo\r\nthree\r\n')
    expect(await at.tools.value('edit_file', { path, old_text: 'one\ntwo', new_text: 'uno\ndos' })).toMatchObject({
      replacements: 1,
    })
    await at.tools.value('edit_file', { path, old_text: 'three', new_text: 'three\nfour' })
    expect(readFileSync(path, 'utf8')).toBe('uno\r\ndos\r\nthree\r\nfour\r\n')
    writeFileSync(path, 'one\ntwo\n')
    await at.tools.value('edit_file', { path, old_text: 'one\r\ntwo', new_text: 'uno\r\ndos' })
    expect(readFileSync(path, 'utf8')).toBe('uno\ndos\n')
  })

  it('are exact in a file with both kinds, and where an edit is about them', async () => {
    await using at = await shared()
    const path = join(at.root, 'mixed.txt')
    writeFileSync(path, 'one\r\ntwo\nthree\n')
    expect(await at.tools.error('edit_file', { path, old_text: 'one\ntwo', new_text: 'x' })).toContain('must match exactly')
    await at.tools.value('edit_file', { path, old_text: 'two\n', new_text: 'a\nb\n' })
    expect(readFileSync(path, 'utf8')).toBe('one\r\na\nb\nthree\n')
    expect(replaceText('a\r\nb\r\n', '\r\n', '\n')).toEqual({ text: 'a\nb\n', count: 2 })
  })

  it('stay of one kind in every edit of a file with one kind', () => {
    const word = fc.array(fc.constantFrom('a', 'b', '\n', '\r\n'), { minLength: 1 }).map((parts) => parts.join(''))
    fc.assert(
      fc.property(fc.array(fc.constantFrom('a', 'b', '\n')), fc.boolean(), word, word, (chars, windows, oldText, newText) => {
        const plain = chars.join('')
        const content = windows ? plain.replaceAll('\n', '\r\n') : plain
        fc.pre(content.includes('\n') && oldText.replaceAll('\r\n', '\n') !== newText.replaceAll('\r\n', '\n'))
        const { text } = replaceText(content, oldText, newText)
        expect(text).not.toMatch(windows ? /(^|[^\r])\n/ : /\r/)
      }),
    )
  })
})

describe('encodings', () => {
  it('of UTF-16 with its mark are text, by lines and by bytes', async () => {
    await using at = await shared()
    writeFileSync(join(at.root, 'u16'), utf16('hello\nwörld\nend'))
    const whole = await at.tools.value<Read>('read_file', { path: 'u16' })
    expect(whole).toMatchObject({ encoding: 'utf-16le', content: 'hello\nwörld\nend', offset: 0, bytes: 32 })
    expect(await at.tools.value('read_file', { path: 'u16', start_line: 2, line_count: 1 })).toMatchObject({
      content: 'wörld\n',
      next_line: 3,
      offset: 14,
    })
    expect(await at.tools.value('read_file', { path: 'u16', start_line: 9 })).toMatchObject({ content: '', bytes: 0 })
    let text = ''
    for (let offset: number | undefined = 0; offset !== undefined;) {
      const part: Read = await at.tools.value<Read>('read_file', { path: 'u16', offset, length: 7 })
      text += part.content
      offset = part.next_offset
    }
    expect(text).toBe(whole.content)
    writeFileSync(join(at.root, 'be'), utf16('größe').swap16())
    expect(await at.tools.value('read_file', { path: 'be' })).toMatchObject({ encoding: 'utf-16be', content: 'größe' })
    expect(await at.tools.value('read_file', { path: 'be', encoding: 'base64' })).toMatchObject({ encoding: 'base64' })
  })

  it('of older systems are text where the caller names them', async () => {
    await using at = await shared()
    writeFileSync(join(at.root, 'l1'), latin1('café crème\nplain line\n'))
    expect(await at.tools.value('read_file', { path: 'l1' })).toMatchObject({ encoding: 'base64' })
    expect(await at.tools.value('read_file', { path: 'l1', encoding: 'latin1' })).toMatchObject({
      encoding: 'windows-1252',
      content: 'café crème\nplain line\n',
    })
    expect(await at.tools.value('read_file', { path: 'l1', encoding: 'latin1', start_line: 2 })).toMatchObject({
      content: 'plain line\n',
      offset: 11,
    })
    writeFileSync(join(at.root, 'sjis'), Buffer.from([0x93, 0xfa, 0x96, 0x7b, 0x0a, 0x41]))
    expect(await at.tools.value('read_file', { path: 'sjis', encoding: 'shift_jis', start_line: 2 })).toMatchObject({
      content: 'A',
      offset: 5,
    })
    expect(await at.tools.error('read_file', { path: 'l1', encoding: 'klingon' })).toContain("no encoding 'klingon'")
  })

  it('stay in an edit, with every other byte', async () => {
    await using at = await shared()
    const path = join(at.root, 'file')
    const every = Buffer.from([...Buffer.from('plain line\n'), ...Array.from({ length: 256 }, (_, byte) => byte)])
    writeFileSync(path, every)
    const edit = { path, old_text: 'plain', new_text: 'très' }
    expect(await at.tools.error('edit_file', edit)).toBe(
      `'${path}' is not a text file (UTF-8); give its encoding, such as latin1`,
    )
    await at.tools.value('edit_file', { ...edit, encoding: 'latin1' })
    expect(readFileSync(path)).toEqual(Buffer.concat([latin1('très'), every.subarray(5)]))
    expect(await at.tools.error('edit_file', { path, old_text: 'line', new_text: '日', encoding: 'latin1' })).toBe(
      "'日' cannot be written in windows-1252",
    )
    for (const swap of [false, true]) {
      const bytes = (text: string): Buffer => (swap ? utf16(text).swap16() : utf16(text))
      writeFileSync(path, bytes('one\r\ntwo\r\n'))
      await at.tools.value('edit_file', { path, old_text: 'one\n', new_text: 'größe\n' })
      expect(readFileSync(path)).toEqual(bytes('größe\r\ntwo\r\n'))
    }
    writeFileSync(path, '\uFEFFone\n')
    await at.tools.value('edit_file', { path, old_text: 'one', new_text: 'two' })
    expect(readFileSync(path, 'utf8')).toBe('\uFEFFtwo\n')
    writeFileSync(path, Buffer.from([0x93, 0xfa, 0x41]))
    await at.tools.value('edit_file', { path, old_text: 'A', new_text: '本', encoding: 'shift_jis' })
    expect(readFileSync(path)).toEqual(Buffer.from([0x93, 0xfa, 0x96, 0x7b]))
  })
})

describe.runIf(posix)('links to nothing', () => {
  it('can be deleted and moved, and reading says what is wrong', async () => {
    await using at = await shared()
    for (const [target, name] of [
      ['nowhere', 'dangling'],
      ['itself', 'itself'],
      [join(at.outside, 'none'), 'out'],
    ] as const) {
      symlinkSync(target, join(at.root, name))
      const error = await at.tools.error('read_file', { path: name })
      expect(error).not.toContain('Denied')
      expect(error).toMatch(/File not found|too many links|outside of the folders/)
      await at.tools.value('move_file', { from: name, to: `${name}2` })
      expect(lstatSync(join(at.root, `${name}2`)).isSymbolicLink()).toBe(true)
      expect(await at.tools.value('stat_file', { path: `${name}2` })).toMatchObject({ type: 'link', target })
      await at.tools.value('delete_file', { path: `${name}2` })
      expect(() => lstatSync(join(at.root, `${name}2`))).toThrow(/ENOENT/)
    }
    mkdirSync(join(at.root, 'build'))
    symlinkSync('gone', join(at.root, 'build/link'))
    expect(await at.tools.value('delete_file', { path: 'build', recursive: true })).toMatchObject({ deleted: 2 })
  })

  it('keep what they lead to, and a rule about that does not count', async () => {
    await using at = await sharedFolder(folder(), {
      config: DeviceConfig.parse({ policy: [{ path: '**/kept/**', do: 'deny' }, { do: 'allow' }] }),
    })
    mkdirSync(join(at.root, 'kept'))
    writeFileSync(join(at.root, 'kept/file'), 'x')
    symlinkSync('kept/file', join(at.root, 'link'))
    await at.tools.value('delete_file', { path: 'link' })
    expect(existsSync(join(at.root, 'kept/file'))).toBe(true)
    expect(await at.tools.error('delete_file', { path: 'kept/file' })).toContain('Denied')
  })
})

describe('errors of arguments', () => {
  it('are not decisions of the policy', async () => {
    await using at = await shared()
    mkdirSync(join(at.root, 'sub'))
    for (const [tool, args, error] of [
      ['read_file', { path: '.' }, "'.' is not a file but a folder"],
      ['read_file', { path: at.root }, `'${at.root}' is not a file but a folder`],
      ['read_file', { path: 'sub' }, "'sub' is not a file but a folder"],
      ['edit_file', { path: 'sub', old_text: 'a', new_text: 'b' }, "'sub' is not a file but a folder"],
      ['write_file', { path: '.', content: '' }, "'.' is not a file but a folder"],
      ['list_files', { path: 'a.txt' }, "'a.txt' is not a folder"],
      ['list_files', { path: 'a.txt/b' }, `'${join(at.root, 'a.txt/b')}' is not a folder`],
      ['read_file', { path: 'none/../a.txt' }, `File not found: ${at.root}/none/../a.txt`],
      ['read_file', { file: 'a.txt' }, "'path' is missing (you gave 'file')"],
      ['read_file', { path: 7 }, "'path': expected string, received number"],
      ['execute_command', { cmd: 'ls' }, "'command' is missing (you gave 'cmd')"],
      ['execute_command', {}, "'command' is missing"],
    ] as const)
      expect([tool, args, await at.tools.error(tool, args)]).toEqual([tool, args, error])
  })

  it('are what an explanation of the policy names', async () => {
    const config = DeviceConfig.parse({})
    await expect(explainPolicy(config, { tool: 'write_file', args: { path: 'notes.txt' } })).rejects.toThrow(
      "write_file: 'content' is missing",
    )
    expect(await explainPolicy(config, { tool: 'write_file', args: { path: 'notes.txt', content: '' } })).toMatchObject({
      do: 'ask',
    })
  })
})
