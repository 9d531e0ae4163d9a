import {
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  readlinkSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { destinationOf, pathFrom } from '../src/paths/destination.js'
import { isInside, Roots } from '../src/policy/roots.js'
import { temporaryFolders } from './support/temporary.js'

const folder = temporaryFolders()

/** The file that the kernel opens, or the code of its error. */
function opened(path: string, flags: number): { path: string; dev: number; ino: number } | string {
  let fd: number
  try {
    fd = openSync(path, flags | constants.O_NONBLOCK)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'unknown'
  }
  try {
    const { dev, ino } = fstatSync(fd)
    return { path: readlinkSync(`/proc/self/fd/${fd}`), dev, ino }
  } finally {
    closeSync(fd)
  }
}

const FOLDERS = ['root', 'root/a', 'root/a/b', 'root/home', 'outside', 'outside/a', 'outside/a/b']
const LINKS = ['root/l1', 'root/l2', 'root/a/l1', 'root/a/l3', 'root/a/b/l2', 'outside/l1', 'outside/a/l2', 'outside/a/b/l3']
const words = ['..', '..', '.', '', 'a', 'b', 'l1', 'l2', 'l3', 'root', 'outside', 'home', 'file', 'file', 'absent']
const way = fc.array(fc.constantFrom(...words), { minLength: 1, maxLength: 8 }).map((parts) => parts.join('/'))
const start = fc.constantFrom(
  '',
  '',
  '',
  'BASE/',
  'BASE/root/',
  'BASE/root/a/b/',
  '/proc/self/cwd/',
  '/proc/self/root/',
  '/proc/self/',
  '/dev/fd/',
  '/dev/fd/../',
  '/',
)
const path = fc.tuple(start, way).map((parts) => parts.join(''))

/** A tree of folders with a file in each, and links that lead to each other and out of it. */
function makeTree(targets: readonly string[]): { base: string; at: (path: string) => string } {
  const base = folder()
  const at = (path: string): string => path.replaceAll('BASE', base)
  for (const name of FOLDERS) {
    mkdirSync(join(base, name))
    writeFileSync(join(base, name, 'file'), name)
  }
  for (const [index, link] of LINKS.entries()) symlinkSync(at(targets[index] ?? '') || '.', join(base, link))
  return { base, at }
}

describe.runIf(process.platform === 'linux')('where a path leads', () => {
  it('is what the kernel opens, whatever links, dots and parts of /proc are in it', async () => {
    let followed = 0
    await fc.assert(
      fc.asyncProperty(
        fc.array(path, { minLength: LINKS.length, maxLength: LINKS.length }),
        fc.array(path, { minLength: 12, maxLength: 12 }),
        async (targets, paths) => {
          const { base, at } = makeTree(targets)
          const roots = new Roots({ cwd: join(base, 'root'), closed: [join(base, 'root/home')] })
          for (const each of paths) {
            const asked = pathFrom(join(base, 'root'), at(each))
            const kernel = opened(asked, constants.O_RDONLY)
            const judged = await destinationOf(asked).catch((error: Error) => error)
            const allowed = await roots.destination(at(each)).catch((error: Error) => error)
            // A jump of procfs is refused, wherever it leads.
            if (judged instanceof Error && judged.message.includes('not a path')) {
              expect(allowed).toBeInstanceOf(Error)
              continue
            }
            if (typeof kernel === 'string') {
              if (!(judged instanceof Error)) expect([asked, judged.exists]).toEqual([asked, kernel !== 'ENOENT'])
            } else {
              followed += 1
              expect([asked, judged]).toMatchObject([asked, { real: kernel.path, exists: true }])
              expect(statSync(kernel.path)).toMatchObject({ dev: kernel.dev, ino: kernel.ino })
              const inside = isInside(join(base, 'root'), kernel.path) && !isInside(join(base, 'root/home'), kernel.path)
              expect([asked, !(allowed instanceof Error)]).toEqual([asked, inside])
            }
            if (judged instanceof Error || judged.exists) continue
            // What does not exist is where the kernel would make it.
            const made = opened(asked, constants.O_WRONLY | constants.O_CREAT)
            if (typeof made === 'string') continue
            expect([asked, judged.real]).toEqual([asked, made.path])
            expect([asked, !(allowed instanceof Error)]).toEqual([
              asked,
              isInside(join(base, 'root'), made.path) && !isInside(join(base, 'root/home'), made.path),
            ])
            unlinkSync(made.path)
          }
        },
      ),
      { numRuns: 150 },
    )
    expect(followed).toBeGreaterThan(100)
  })

  it('ends at the links that the kernel follows, and at its length of a path', async () => {
    const base = folder()
    writeFileSync(join(base, 'l0'), 'x')
    for (let at = 1; at <= 41; at += 1) symlinkSync(`l${at - 1}`, join(base, `l${at}`))
    for (const [name, works] of [
      ['l40', true],
      ['l41', false],
    ] as const) {
      expect(typeof opened(join(base, name), constants.O_RDONLY) === 'object').toBe(works)
      expect(
        await destinationOf(join(base, name)).then(
          () => true,
          () => false,
        ),
      ).toBe(works)
    }
    await expect(destinationOf(`${base}/${'./'.repeat(2500)}l0`)).rejects.toMatchObject({ code: 'FILE_FAILED' })
  })

  it('is never a link of procfs, which jumps to an open file or a folder', async () => {
    const base = folder()
    const fd = openSync(base, constants.O_RDONLY)
    try {
      for (const each of [
        `/proc/self/fd/${fd}`,
        `/dev/fd/${fd}/..`,
        '/proc/self/cwd',
        '/proc/thread-self/root/etc',
        '/dev/stdin',
        `/proc/${process.pid}/exe`,
      ])
        await expect(destinationOf(each)).rejects.toMatchObject({ message: expect.stringContaining('not a path') as unknown })
    } finally {
      closeSync(fd)
    }
  })

  it('closes the memory and environment of this process under each of its names', async () => {
    const roots = new Roots({ folders: ['/'], cwd: '/' })
    const threads = (await import('node:fs')).readdirSync('/proc/self/task')
    expect(threads.length).toBeGreaterThan(1)
    for (const name of ['self', 'thread-self', ...threads.flatMap((id) => [id, `self/task/${id}`])])
      await expect(roots.target(`/proc/${name}/environ`)).rejects.toMatchObject({ code: 'PATH_CLOSED' })
  })
})
