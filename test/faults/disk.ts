import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Folders where disks are mounted: they must not stay when the harness ends. */
const mounted = new Set<string>()
process.on('exit', () => {
  for (const path of mounted) unmount(path)
})

/** A small disk (tmpfs) that can be filled and freed. Needs the right to mount. */
export class SmallDisk implements Disposable {
  readonly path: string
  readonly #bytes: number
  readonly #mounted: boolean

  /** @param bytes its size; without the right to mount it is a plain folder, and {@link fill} does nothing */
  constructor(path: string, bytes: number) {
    this.path = path
    this.#bytes = bytes
    mkdirSync(path, { recursive: true })
    this.#mounted = mount('-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', path)
    if (this.#mounted) mounted.add(path)
  }

  /** Leaves no room. @returns whether that was possible */
  fill(): boolean {
    if (!this.#mounted) return false
    for (let attempt = 0; attempt < 10; attempt += 1) {
      const { blocks, bfree, bsize } = statfsSync(this.path)
      if (mount('-o', `remount,size=${Math.max(1, blocks - bfree) * bsize}`, this.path)) return true
    }
    return false
  }

  /** Gives the room back. */
  free(): void {
    if (this.#mounted) mount('-o', `remount,size=${this.#bytes}`, this.path)
  }

  [Symbol.dispose](): void {
    if (mounted.delete(this.path)) unmount(this.path)
  }
}

/** Returns whether disks can be filled here. */
export function canFillDisks(): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'orrery-disk-'))
  using disk = new SmallDisk(folder, 64 * 1024)
  try {
    return disk.fill()
  } finally {
    disk[Symbol.dispose]()
    rmSync(folder, { recursive: true, force: true })
  }
}

function unmount(path: string): void {
  spawnSync('umount', ['-l', path])
}

function mount(...args: string[]): boolean {
  return spawnSync('mount', args).status === 0
}
