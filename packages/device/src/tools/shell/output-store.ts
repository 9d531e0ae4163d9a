import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { makeFolder } from '@orrery/log'
import { SHELL_LIMITS } from './limits.js'
import { SpooledOutput } from './spooled-output.js'
import { deviceError } from '../../errors.js'

const live = new Set<OutputStore>()

function closeAll(): void {
  for (const store of live) store.close()
}

/** The outputs of one server's commands and jobs, by id. Their files are gone when it is closed or this process ends. */
export class OutputStore {
  readonly #dataDir: string
  readonly #outputs = new Map<string, SpooledOutput>()
  #folder: string | null = null
  #count = 0

  /** @param dataDir the folder in which a folder for the files is made when the first one is needed */
  constructor(dataDir: string) {
    this.#dataDir = dataDir
  }

  /** Makes an output that no id leads to yet. @param inMemory bytes that need no file */
  create(inMemory: number): SpooledOutput {
    return new SpooledOutput(() => join(this.#place(), String(this.nextNumber())), inMemory)
  }

  /** A number that was not given yet. */
  nextNumber(): number {
    this.#count += 1
    return this.#count
  }

  /** Gives an output an id, and forgets the oldest if there are too many. */
  keep(id: string, output: SpooledOutput): void {
    this.#outputs.set(id, output)
    for (const [oldest, old] of this.#outputs) {
      if (this.#outputs.size <= SHELL_LIMITS.outputs) break
      old.discard()
      this.#outputs.delete(oldest)
    }
  }

  /** @throws AipError `NO_SUCH_ITEM` */
  get(id: string): SpooledOutput {
    const output = this.#outputs.get(id)
    if (output === undefined) throw deviceError('NO_SUCH_ITEM', { what: 'job or output', id })
    return output
  }

  /** Deletes all. */
  close(): void {
    for (const output of this.#outputs.values()) output.discard()
    this.#outputs.clear()
    live.delete(this)
    if (live.size === 0) process.off('exit', closeAll)
    if (this.#folder !== null) rmSync(this.#folder, { recursive: true, force: true })
    this.#folder = null
  }

  #place(): string {
    if (this.#folder !== null) return this.#folder
    makeFolder(this.#dataDir)
    removeLeftBehind(this.#dataDir)
    if (live.size === 0) process.on('exit', closeAll)
    live.add(this)
    this.#folder = mkdtempSync(join(this.#dataDir, `orrery-outputs-${process.pid}-`))
    return this.#folder
  }
}

/** Removes the folders of devices that were killed and could not do it themselves. */
function removeLeftBehind(dataDir: string): void {
  for (const name of readdirSync(dataDir)) {
    const pid = /^orrery-outputs-(\d+)-/.exec(name)?.[1]
    if (pid === undefined || isAlive(Number(pid))) continue
    try {
      rmSync(join(dataDir, name), { recursive: true, force: true })
    } catch {
      // It belongs to another user, as in a shared folder for temporary files.
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
