import { createHash } from 'node:crypto'
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DeviceConfig, type DeviceOptions } from '../src/index.js'
import { BUILT_IN_TOOLS } from '../src/tools/built-in-servers.js'
import { matchesGlob } from '../src/paths/glob.js'
import { FILE_LIMITS } from '../src/tools/files/limits.js'
import { Roots } from '../src/policy/roots.js'
import { ALLOW_ALL } from './support/config.js'
import { sharedFolder } from './support/shared-folder.js'
import { temporaryFolders } from './support/temporary.js'
import { toolCaller } from './support/tool-caller.js'

const folder = temporaryFolders()
const posix = process.platform !== 'win32'
const hash = (text: string): string => createHash('sha256').update(text).digest('hex')

interface Listed {
  entries: { path: string; type: string; size: number; target?: string }[]
  truncated: boolean
}
interface Read {
  content: string
  encoding: string
  sha256?: string
  offset: number
  bytes: number
  next_offset?: number
  next_line?: number
}
const shared = (options?: Partial<DeviceOptions>) => sharedFolder(folder(), options)

describe('list_files and stat_file', () => {
  it('describe what exists, links as links', async () => {
    await using at = await shared()
    mkdirSync(join(at.root, 'b'))
    writeFileSync(join(at.root, 'b', 'inner'), '12345')
    symlinkSync('a.txt', join(at.root, 'link'))
    const flat = await at.tools.value<Listed>('list_files')
    expect(flat.entries.map(({ path, type }) => [path, type])).toEqual([
      [join(at.root, 'a.txt'), 'file'],
      [join(at.root, 'b'), 'folder'],
      [join(at.root, 'link'), 'link'],
    ])
    const deep = await at.tools.value<Listed>('list_files', { depth: 2 })
    expect(deep.entries.map(({ path }) => path)).toContain(join(at.root, 'b', 'inner'))
    expect(await at.tools.value<Listed>('list_files', { limit: 1 })).toMatchObject({ entries: [{}], truncated: true })
    expect(await at.tools.value('stat_file', { path: 'link' })).toMatchObject({ type: 'link', target: 'a.txt' })
    expect(await at.tools.value('stat_file', { path: '.' })).toMatchObject({ type: 'folder', path: at.root })
    expect(await at.tools.value('stat_file', { path: 'b/inner' })).toMatchObject({ type: 'file', size: 5 })
    expect(await at.tools.error('stat_file', { path: 'none' })).toBe('File not found: none')
    expect(await at.tools.error('list_files', { path: 'a.txt' })).toBe("'a.txt' is not a folder")
  })
})

describe('read_file', () => {
  it('gives text with the hash of the file, and bytes as base64', async () => {
    await using at = await shared()
    expect(await at.tools.value<Read>('read_file', { path: 'a.txt' })).toEqual({
      path: join(at.root, 'a.txt'),
      size: 14,
      sha256: hash('one\ntwo\nthree\n'),
      encoding: 'utf-8',
      content: 'one\ntwo\nthree\n',
      offset: 0,
      bytes: 14,
    })
    writeFileSync(join(at.root, 'bin'), Buffer.from([0, 255, 1]))
    expect(await at.tools.value<Read>('read_file', { path: 'bin' })).toMatchObject({ encoding: 'base64', content: 'AP8B' })
    expect(await at.tools.value<Read>('read_file', { path: 'a.txt', encoding: 'base64', length: 3 })).toMatchObject({
      content: 'b25l',
      next_offset: 3,
    })
    expect(await at.tools.error('read_file', { path: '.' })).toMatch(/is (not a file|outside)/)
  })

  it('gives lines, and says where to continue', async () => {
    await using at = await shared()
    const lines = (args: object): Promise<Read> => at.tools.value<Read>('read_file', { path: 'a.txt', ...args })
    expect(await lines({ start_line: 2, line_count: 1 })).toMatchObject({ content: 'two\n', offset: 4, next_line: 3 })
    expect(await lines({ start_line: 3 })).toMatchObject({ content: 'three\n' })
    expect(await lines({ start_line: 3 })).not.toHaveProperty('next_line')
    expect(await lines({ start_line: 9 })).toMatchObject({ content: '', bytes: 0 })
    expect(await lines({ line_count: 2, length: 5 })).toMatchObject({ content: 'one\n', next_line: 2 })
    expect(await lines({ line_count: 2, length: 2 })).toMatchObject({ content: 'on', next_offset: 2 })
    expect(await at.tools.error('read_file', { path: 'a.txt', start_line: 1, offset: 0 })).toContain('not both')
  })

  it('read piece by piece by bytes or by lines gives the file', async () => {
    await using at = await shared()
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom('a', 'é', '€', '😀', '\n', 'longer word '), { maxLength: 60 }),
        fc.integer({ min: 4, max: 20 }),
        fc.integer({ min: 1, max: 4 }),
        async (pieces, length, count) => {
          const text = pieces.join('')
          writeFileSync(join(at.root, 'p'), text)
          let joined = ''
          for (let offset: number | undefined = 0; offset !== undefined;) {
            const part: Read = await at.tools.value<Read>('read_file', { path: 'p', offset, length })
            expect(part.encoding).toBe('utf-8')
            joined += part.content
            offset = part.next_offset
          }
          expect(joined).toBe(text)
          let lines = ''
          for (let line: number | undefined = 1; line !== undefined;) {
            const part: Read = await at.tools.value<Read>('read_file', { path: 'p', start_line: line, line_count: count })
            lines += part.content
            line = part.next_line
          }
          expect(lines).toBe(text)
        },
      ),
      { numRuns: 40 },
    )
  })

  it.runIf(posix)('refuses a pipe instead of waiting for it', async () => {
    await using at = await shared()
    execFileSync('mkfifo', [join(at.root, 'pipe')])
    expect(await at.tools.error('read_file', { path: 'pipe' })).toBe("'pipe' is not a file")
  })
})

describe('write_file', () => {
  it('makes folders and files, keeps permissions, and leaves nothing behind', async () => {
    await using at = await shared()
    const made = await at.tools.value('write_file', { path: 'x/y/new.txt', content: 'hé' })
    expect(made).toEqual({ path: join(at.root, 'x/y/new.txt'), bytes: 3, sha256: hash('hé'), created: true })
    chmodSync(join(at.root, 'a.txt'), 0o640)
    expect(await at.tools.value('write_file', { path: 'a.txt', content: 'AP8B', encoding: 'base64' })).toMatchObject({
      created: false,
    })
    expect([...readFileSync(join(at.root, 'a.txt'))]).toEqual([0, 255, 1])
    if (posix) expect(statSync(join(at.root, 'a.txt')).mode & 0o777).toBe(0o640)
    expect(readdirSync(at.root).sort()).toEqual(['a.txt', 'x'])
    expect(await at.tools.error('write_file', { path: 'a.txt', content: 'A', encoding: 'base64' })).toContain('not base64')
  })

  it('writes only over what the caller expects', async () => {
    await using at = await shared()
    const write = { path: 'a.txt', content: 'new' }
    const { sha256 } = await at.tools.value<Read>('read_file', { path: 'a.txt' })
    writeFileSync(join(at.root, 'a.txt'), 'changed')
    expect(await at.tools.error('write_file', { ...write, expected_sha256: sha256 })).toContain(hash('changed'))
    expect(await at.tools.error('write_file', { ...write, only_new: true })).toBe('File exists: a.txt')
    expect(await at.tools.error('write_file', { ...write, path: 'none', expected_sha256: sha256 })).toContain('does not exist')
    expect(readFileSync(join(at.root, 'a.txt'), 'utf8')).toBe('changed')
    await at.tools.value('write_file', { ...write, expected_sha256: hash('changed').toUpperCase() })
    expect(readFileSync(join(at.root, 'a.txt'), 'utf8')).toBe('new')
  })

  it('replaces a file at once: a hard link keeps the old content', async () => {
    await using at = await shared()
    linkSync(join(at.root, 'a.txt'), join(at.outside, 'other'))
    await at.tools.value('write_file', { path: 'a.txt', content: 'new' })
    expect(readFileSync(join(at.outside, 'other'), 'utf8')).toBe('one\ntwo\nthree\n')
  })
})

describe('edit_file', () => {
  it('replaces what is there exactly once, or everywhere when told', async () => {
    await using at = await shared()
    const path = 'a.txt'
    expect(await at.tools.value('edit_file', { path, old_text: 'two', new_text: '$& 2' })).toMatchObject({ replacements: 1 })
    expect(readFileSync(join(at.root, path), 'utf8')).toBe('one\n$& 2\nthree\n')
    expect(await at.tools.error('edit_file', { path, old_text: 'two', new_text: '' })).toContain("is not in 'a.txt'")
    expect(await at.tools.error('edit_file', { path, old_text: 'e', new_text: '' })).toMatch(
      /3 times.*give more of its surroundings, or set replace_all/,
    )
    expect(await at.tools.value('edit_file', { path, old_text: 'e', new_text: 'E', replace_all: true })).toMatchObject({
      replacements: 3,
    })
    expect(readFileSync(join(at.root, path), 'utf8')).toBe('onE\n$& 2\nthrEE\n')
    expect(await at.tools.error('edit_file', { path, old_text: 'E', new_text: '', expected_sha256: hash('x') })).toContain(
      'left as it is',
    )
    writeFileSync(join(at.root, 'bin'), Buffer.from([255]))
    expect(await at.tools.error('edit_file', { path: 'bin', old_text: 'x', new_text: '' })).toContain('not a text file')
  })
})

describe('move_file and delete_file', () => {
  it('move, and refuse to lose what is there', async () => {
    await using at = await shared()
    writeFileSync(join(at.root, 'b.txt'), 'b')
    expect(await at.tools.error('move_file', { from: 'a.txt', to: 'b.txt' })).toBe('File exists: b.txt')
    await at.tools.value('move_file', { from: 'a.txt', to: 'b.txt', replace: true })
    expect(readFileSync(join(at.root, 'b.txt'), 'utf8')).toBe('one\ntwo\nthree\n')
    await at.tools.value('move_file', { from: 'b.txt', to: 'new/folder/c.txt' })
    await at.tools.value('move_file', { from: 'new', to: 'old' })
    expect(readdirSync(join(at.root, 'old/folder'))).toEqual(['c.txt'])
    expect(await at.tools.error('move_file', { from: 'none', to: 'x' })).toBe('File not found: none')
  })

  it('delete files, links and folders, and never what a link leads to', async () => {
    await using at = await shared()
    mkdirSync(join(at.root, 'd/e'), { recursive: true })
    symlinkSync(at.outside, join(at.root, 'd/e/out'))
    symlinkSync(join(at.outside, 'secret'), join(at.root, 'link'))
    expect(await at.tools.error('delete_file', { path: 'd' })).toBe('File exists: d')
    expect(await at.tools.value('delete_file', { path: 'd', recursive: true })).toMatchObject({ deleted: 3 })
    await at.tools.value('delete_file', { path: 'link' })
    expect(readdirSync(at.root)).toEqual(['a.txt'])
    expect(readFileSync(join(at.outside, 'secret'), 'utf8')).toBe('secret')
    expect(await at.tools.error('delete_file', { path: '.', recursive: true })).toContain('neither moved nor deleted')
    expect(await at.tools.error('move_file', { from: '.', to: 'a' })).toContain('neither moved nor deleted')
  })
})

describe('the roots of a device', () => {
  it('are those of the configuration; closed folders in them stay closed', async () => {
    const base = folder()
    for (const name of ['one', 'two', 'one/keys']) mkdirSync(join(base, name))
    writeFileSync(join(base, 'one/keys/operator.key'), 'secret key')
    const config = DeviceConfig.parse({ roots: [join(base, 'one'), join(base, 'two')], policy: ALLOW_ALL })
    await using tools = await toolCaller({ config, cwd: base, closedFolders: [join(base, 'one/keys')] })
    // The start folder is not shared, so relative paths start at the first root.
    await tools.value('write_file', { path: 'a', content: 'a' })
    await tools.value('move_file', { from: 'a', to: join(base, 'two/a') })
    expect(await tools.error('list_files', { path: base })).toContain(
      `outside of the folders that this device shares: ${join(base, 'one')}`,
    )
    expect(await tools.error('read_file', { path: 'keys/operator.key' })).toContain('belongs to the device itself')
    expect(await tools.error('write_file', { path: 'keys/new', content: '' })).toContain('belongs to the device itself')
    for (const from of ['keys', '.'])
      expect(await tools.error('move_file', { from, to: 'x' })).toMatch(/belongs to|neither moved/)
    expect(await tools.value('list_files', { depth: 3 })).toMatchObject({ entries: [] })
    expect(await tools.value('search_files', { text: 'secret' })).toMatchObject({ matches: [] })
  })

  it('are a root and what is in it, not what only starts like it', async () => {
    const base = folder()
    for (const name of ['root', 'root2', 'root/..x']) mkdirSync(join(base, name))
    const roots = new Roots({ cwd: join(base, 'root') })
    await expect(roots.target('../root2')).rejects.toMatchObject({ code: 'PATH_OUTSIDE_ROOTS' })
    expect(await roots.target('..x')).toBe(join(base, 'root/..x'))
    await expect(roots.target('a\0b')).rejects.toMatchObject({ code: 'INVALID_INPUT' })
  })

  it.runIf(posix)('hold for `..` behind a link, whichever tool takes the path', async () => {
    await using at = await shared()
    mkdirSync(join(at.outside, 'deep'))
    writeFileSync(join(at.outside, 'x.pdf'), 'secret')
    symlinkSync(join(at.outside, 'deep'), join(at.root, 'link'))
    symlinkSync(join(at.outside, 'made'), join(at.root, 'dangling'))
    const transfer_id = crypto.randomUUID()
    const calls: [string, (path: string) => object, string][] = [
      ['read_file', (path) => ({ path }), 'secret'],
      ['stat_file', (path) => ({ path }), 'secret'],
      ['list_files', (path) => ({ path }), ''],
      ['search_files', (path) => ({ path, text: 'secret' }), ''],
      ['write_file', (path) => ({ path, content: 'x' }), 'secret'],
      ['edit_file', (path) => ({ path, old_text: 'secret', new_text: 'x' }), 'secret'],
      ['delete_file', (path) => ({ path }), 'secret'],
      ['move_file', (path) => ({ from: path, to: 'got' }), 'secret'],
      ['move_file', (path) => ({ from: 'a.txt', to: path }), 'moved'],
      ['send_file', (path) => ({ path, transfer_id }), 'secret'],
      ['receive_file', (path) => ({ path, transfer_id, size: 1, overwrite: true }), 'secret'],
      ['extract_pdf_text', (path) => ({ pdf_path: path }), 'x.pdf'],
      ['extract_all_pdfs_text', (path) => ({ directory_path: path }), ''],
      ['run_command', (cwd) => ({ program: 'ls', cwd }), ''],
      ['start_job', (cwd) => ({ program: 'ls', cwd }), ''],
    ]
    for (const [tool, argumentsFor, name] of calls)
      for (const way of ['link/..', './link/../', `${at.root}/link/..`, 'link/../deep/..']) {
        const error = await at.tools.error(tool, argumentsFor(name === '' ? way : `${way}/${name}`))
        expect([tool, way, error]).toEqual([tool, way, expect.stringContaining('outside of the folders that this device shares')])
      }
    for (const path of ['dangling', 'link/../made'])
      expect(await at.tools.error('write_file', { path, content: 'x' })).toContain('outside of the folders')
    expect(readdirSync(at.outside).sort()).toEqual(['deep', 'secret', 'x.pdf'])
    expect(readFileSync(join(at.outside, 'secret'), 'utf8')).toBe('secret')
  })

  it.runIf(posix)('hold for every path that words, dots and links can make, whichever tool is asked', async () => {
    await using at = await shared()
    mkdirSync(join(at.root, 'in/deep'), { recursive: true })
    symlinkSync('..', join(at.root, 'in/up'))
    symlinkSync('../..', join(at.root, 'in/upup'))
    symlinkSync(at.outside, join(at.root, 'out'))
    symlinkSync('/', join(at.root, 'in/slash'))
    symlinkSync(join(at.outside, 'secret'), join(at.root, 'file'))
    symlinkSync(join(at.outside, 'made'), join(at.root, 'dangling'))
    symlinkSync('loop', join(at.root, 'loop'))
    const words = [
      '..',
      '.',
      '',
      'in',
      'deep',
      'up',
      'upup',
      'out',
      'slash',
      'file',
      'dangling',
      'loop',
      'secret',
      'outside',
      'new',
      'tmp',
    ]
    const way = fc.array(fc.constantFrom(...words), { minLength: 1, maxLength: 7 }).map((parts) => parts.join('/'))
    const path = fc
      .tuple(fc.constantFrom('', '/', `${at.root}/`, `${at.outside}/`, '/proc/self/cwd/', '//'), way)
      .map((parts) => parts.join(''))
    const before = readdirSync(at.outside)
    await fc.assert(
      fc.asyncProperty(path, async (path) => {
        const read = await at.tools.call('read_file', { path })
        expect(JSON.stringify(read.result)).not.toContain('secret')
        const list = await at.tools.call('list_files', { path })
        if (list.status === 'success')
          for (const entry of (list.result as Listed).entries) expect(entry.path.startsWith(`${at.root}/`)).toBe(true)
        await at.tools.call('write_file', { path: `${path}/made`, content: 'x' })
        await at.tools.call('write_file', { path, content: 'x' })
        await at.tools.call('edit_file', { path, old_text: 'secret', new_text: 'x' })
        await at.tools.call('move_file', { from: path, to: `${at.outside}/moved` })
        await at.tools.call('delete_file', { path: `${path}/secret` })
        expect(readdirSync(at.outside)).toEqual(before)
        expect(readFileSync(join(at.outside, 'secret'), 'utf8')).toBe('secret')
        expect(existsSync(at.root)).toBe(true)
      }),
      { numRuns: 150 },
    )
  })

  it.runIf(process.platform === 'linux')('hold while a folder is swapped with a link again and again', async () => {
    await using at = await shared()
    mkdirSync(join(at.root, 'real'))
    writeFileSync(join(at.root, 'real/secret'), 'harmless')
    // Another program of this machine that swaps as fast as it can.
    const swap = `cd ${at.root}; while [ ! -e stop ]; do mv real kept; ln -s ${at.outside} real; rm real; mv kept real; done`
    const { spawn } = await import('node:child_process')
    const child = spawn('/bin/sh', ['-c', swap], { stdio: 'ignore' })
    try {
      const seen = new Set<string>()
      for (let turn = 0; turn < 150; turn += 1) {
        const { result, error } = await at.tools.call('read_file', { path: 'real/secret' })
        seen.add(result === null ? String(error).slice(0, 20) : (result as Read).content)
        await at.tools.call('write_file', { path: 'real/made', content: 'x' })
        await at.tools.call('search_files', { text: 'secret' })
      }
      expect([...seen]).not.toContain('secret')
      expect(readdirSync(at.outside)).toEqual(['secret'])
    } finally {
      writeFileSync(join(at.root, 'stop'), '')
      await new Promise((resolve) => child.once('exit', resolve))
    }
  })
})

describe.runIf(process.platform === 'linux')('a device that shares the whole machine', () => {
  it('keeps its own memory and environment to itself, and hands on no rights with a file', async () => {
    const base = folder()
    const config = DeviceConfig.parse({ roots: ['/'], policy: ALLOW_ALL })
    await using tools = await toolCaller({ config, cwd: base })
    for (const path of ['/proc/self/environ', `/proc/${process.pid}/environ`, '/proc/thread-self/environ'])
      expect(await tools.error('read_file', { path })).toContain('belongs to the device itself')
    writeFileSync(join(base, 'tool'), 'x')
    chmodSync(join(base, 'tool'), 0o4755)
    await tools.value('write_file', { path: 'tool', content: 'y' })
    expect(statSync(join(base, 'tool')).mode & 0o7777).toBe(0o755)
    expect(await tools.error('move_file', { from: '/proc', to: '/x' })).toContain('neither moved')
  })
})

describe('the bounds of the file tools', () => {
  it('hold for what is read, hashed and written', async () => {
    await using at = await shared()
    writeFileSync(join(at.root, 'big'), '')
    truncateSync(join(at.root, 'big'), FILE_LIMITS.hashed + 1)
    const read = await at.tools.value<Read>('read_file', { path: 'big' })
    expect(read).toMatchObject({ bytes: FILE_LIMITS.read, next_offset: FILE_LIMITS.read })
    expect(read).not.toHaveProperty('sha256')
    expect(await at.tools.error('edit_file', { path: 'big', old_text: 'a', new_text: '' })).toContain('at most')
  })
})

describe('globs', () => {
  it.each([
    ['*.ts', 'a/b.ts', true],
    ['*.ts', 'a/b.tsx', false],
    ['a/*.ts', 'a/b/c.ts', false],
    ['**/c.ts', 'c.ts', true],
    ['a/**', 'a/b/c', true],
    ['{a,b}?.md', 'b1.md', true],
    ['{a,{b,c}}', 'c', true],
    ['a[b]', 'a[b]', true],
  ])('%s on %s: %s', (pattern, way, expected) => expect(matchesGlob(pattern, way)).toBe(expected))

  it('take no time that grows beyond all measure', () => {
    expect(matchesGlob('*a'.repeat(400), 'a'.repeat(255))).toBe(false)
  })
})

describe('what a call of the file tools would touch', () => {
  it('is known before it runs', () => {
    const place = { roots: new Roots({ cwd: join('/srv', 'x') }), shell: 'strict' as const, cwd: '/srv/x' }
    const effects = (tool: string, args: unknown) => BUILT_IN_TOOLS.describeCall('files', tool, args, place)
    // What `..` means is known only where links are followed.
    if (posix) expect(effects('read_file', { path: '../y' })).toEqual({ paths: [{ path: '/srv/x/../y', access: 'read' }] })
    expect(effects('move_file', { from: 'a', to: '/b' })?.paths?.map(({ access }) => access)).toEqual(['change', 'change'])
    expect(effects('read_file', { path: 7 })).toEqual({ refused: "'path': expected string, received number" })
    expect(effects('nothing', {})).toBe(null)
    expect(BUILT_IN_TOOLS.describeCall('toString', 'x', {}, place)).toBe(null)
  })
})
