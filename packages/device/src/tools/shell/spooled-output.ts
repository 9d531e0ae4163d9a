import { closeSync, openSync, rmSync, writeSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { SHELL_LIMITS } from './limits.js'

/**
 * What a program prints, as it comes: in memory while it is little, then in a file, up to a limit. It writes at once and waits for
 * it, so that a program that prints faster than the disk takes it is slowed down instead of filling the memory.
 */
export class SpooledOutput {
  readonly #place: () => string
  #path = ''
  readonly #inMemory: number
  #waiting: Buffer[] = []
  #waitingBytes = 0
  #file: number | null = null
  #kept = 0
  #total = 0
  #failed = false
  #change = Promise.withResolvers<void>()

  /**
   * @param place gives the path of the file; it is asked when one is needed
   * @param inMemory bytes that need no file
   */
  constructor(place: () => string, inMemory: number) {
    this.#place = place
    this.#inMemory = inMemory
  }

  /** Bytes that can be read. */
  get size(): number {
    return this.#kept
  }

  /** Bytes that came after the limit was reached. */
  get dropped(): number {
    return this.#total - this.#kept
  }

  /** Settles at the next change. */
  get changed(): Promise<void> {
    return this.#change.promise
  }

  /** Takes what comes. When the disk is full, it is counted as dropped. */
  add(chunk: Buffer): void {
    this.#total += chunk.length
    const kept = this.#failed ? chunk.subarray(0, 0) : chunk.subarray(0, SHELL_LIMITS.kept - this.#kept)
    try {
      this.#write(kept)
      this.#kept += kept.length
    } catch {
      this.#failed = true
    }
    this.notify()
  }

  #write(chunk: Buffer): void {
    if (this.#file !== null) return void writeSync(this.#file, chunk)
    this.#waiting.push(chunk)
    this.#waitingBytes += chunk.length
    if (this.#waitingBytes <= this.#inMemory) return
    this.#path = this.#place()
    this.#file = openSync(this.#path, 'wx', 0o600)
    for (const each of this.#waiting) writeSync(this.#file, each)
    this.#waiting = []
  }

  /** Wakes those who wait for {@link changed}. */
  notify(): void {
    this.#change.resolve()
    this.#change = Promise.withResolvers()
  }

  /** Bytes from `offset` on, at most `length`. */
  async read(offset: number, length: number): Promise<Buffer> {
    const end = Math.min(offset + length, this.#kept)
    if (end <= offset) return Buffer.alloc(0)
    if (this.#file === null) return Buffer.concat(this.#waiting).subarray(offset, end)
    await using file = await open(this.#path)
    const { bytesRead, buffer } = await file.read(Buffer.alloc(end - offset), 0, end - offset, offset)
    return buffer.subarray(0, bytesRead)
  }

  /** Forgets all and deletes the file. */
  discard(): void {
    if (this.#file !== null) {
      closeSync(this.#file)
      rmSync(this.#path, { force: true })
    }
    this.#file = null
    this.#waiting = []
    this.#kept = 0
  }
}
