import { closeSync, openSync, readSync, writeFileSync } from 'node:fs'

/** What a device's tool has written: one line when a call begins, one (synced to the disk) when it has its effect, one at its end. */
export class Ledger {
  readonly path: string
  readonly #file: number
  readonly #counts = new Map<string, number>()
  readonly #running = new Set<string>()
  #read = 0
  #rest = ''

  constructor(path: string) {
    this.path = path
    writeFileSync(path, '')
    this.#file = openSync(path, 'r')
  }

  /** Commands that run now. */
  get running(): number {
    this.#follow()
    return this.#running.size
  }

  /** How often a command has begun, or had its effect: whichever is more. */
  times(task: string, call: string): number {
    return Math.max(this.#count('begin', task, call), this.effects(task, call))
  }

  /** How often a command had its effect. */
  effects(task: string, call: string): number {
    return this.#count('effect', task, call)
  }

  /** The device was killed: what ran then no longer counts as running. */
  forgetRunning(): void {
    this.#follow()
    this.#running.clear()
  }

  close(): void {
    closeSync(this.#file)
  }

  #count(kind: string, task: string, call: string): number {
    this.#follow()
    return this.#counts.get(`${kind} ${task} ${call}`) ?? 0
  }

  #follow(): void {
    const buffer = Buffer.alloc(64 * 1024)
    for (;;) {
      const bytes = readSync(this.#file, buffer, 0, buffer.length, this.#read)
      if (bytes === 0) return
      this.#read += bytes
      const lines = (this.#rest + buffer.toString('utf8', 0, bytes)).split('\n')
      this.#rest = lines.pop() ?? ''
      for (const line of lines) this.#take(line)
    }
  }

  #take(line: string): void {
    this.#counts.set(line, (this.#counts.get(line) ?? 0) + 1)
    const [kind, ...call] = line.split(' ')
    if (kind === 'begin') this.#running.add(call.join(' '))
    else if (kind === 'end') this.#running.delete(call.join(' '))
  }
}
