import { randomInt } from 'node:crypto'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Api } from './api.ts'
import type { Trouble } from './device-rig.ts'
import { SmallDisk } from './disk.ts'
import { Program } from './program.ts'

const DISK_BYTES = 4 * 1024 ** 3
const START_TIME = 30_000

/** The workflow of those who do not read: one command with a large result. */
const BULK = `name: bulk
description: Leaves a line in the ledger and gives a large result
inputs:
  task: { type: string }
  nonce: { type: string }
  pad: { type: string }
steps:
  - { id: a, tool: mark, with: { task: "\${{ inputs.task }}", call: a, nonce: "\${{ inputs.nonce }}", before_ms: "50", pad: "\${{ inputs.pad }}" } }
result: "\${{ steps.a.result }}"
`

/** The workflow that requesters ask for: two commands, each in a batch of its own. */
const step = (id: string): string =>
  `  - { id: ${id}, tool: mark, continue-on-error: true, with: { task: "\${{ inputs.task }}", call: ${id}, nonce: "\${{ inputs.nonce }}", before_ms: "\${{ inputs.before_ms }}", after_ms: "\${{ inputs.after_ms }}" } }\n`
const WORKFLOW = `name: marks
description: Leaves two lines in the ledger
inputs:
  task: { type: string }
  nonce: { type: string }
  before_ms: { type: string }
  after_ms: { type: string }
steps:
${step('a')}${step('b')}result: "\${{ steps.a.result }};\${{ steps.b.result }}"
`

/** The server as a process, with its disk and its log. */
export class ServerRig implements AsyncDisposable {
  readonly port: number
  readonly api: Api
  readonly key: string
  readonly disk: SmallDisk
  /** Says where the process is struck. */
  readonly point: string
  /** When its disk had no room, in milliseconds since the epoch. */
  readonly troubles: Trouble[] = []
  readonly #home: string
  #program: Program | null = null

  private constructor(folder: string, key: string, port: number) {
    this.key = key
    this.port = port
    this.api = new Api(`http://127.0.0.1:${port}`, key)
    this.#home = join(folder, 'server')
    this.point = join(this.#home, 'point')
    mkdirSync(this.#home, { recursive: true })
    this.disk = new SmallDisk(join(this.#home, 'server'), DISK_BYTES)
    mkdirSync(join(this.disk.path, 'workflows'))
    writeFileSync(join(this.disk.path, 'workflows', 'marks.yaml'), WORKFLOW)
    writeFileSync(join(this.disk.path, 'workflows', 'bulk.yaml'), BULK)
    writeFileSync(join(this.#home, 'settings.json'), JSON.stringify({ resume_grace_s: 60, silence_s: 1.5 }))
  }

  /** @param folder where its own folder is made */
  static async make(folder: string, key: string): Promise<ServerRig> {
    return new ServerRig(folder, key, await freePort())
  }

  /** Starts the process. Settles when it takes requests. @throws if it does not within half a minute */
  async start(): Promise<void> {
    const level = process.env['ORRERY_FAULTS_LOG'] ?? 'WARNING'
    const config = join(this.#home, 'settings.json')
    const args = ['server', '--port', String(this.port), '--config', config, '--log-level', level]
    const files = { home: this.#home, point: this.point, output: join(this.#home, 'output') }
    this.#program = new Program(args, { key: this.key, ...files })
    const limit = Date.now() + START_TIME
    while (!(await this.api.ready())) {
      if (Date.now() > limit || !this.#program.alive) throw new Error(`the server does not start: see ${files.output}`)
      await sleep(20)
    }
  }

  /** The current process. @throws before the first start */
  get program(): Program {
    if (this.#program === null) throw new Error('the server was not started')
    return this.#program
  }

  async [Symbol.asyncDispose](): Promise<void> {
    rmSync(this.point, { force: true })
    this.#program?.signal('SIGCONT')
    await this.#program?.kill()
    this.disk[Symbol.dispose]()
  }
}

/** A port that no outgoing connection takes while the server is away: it is below those that systems give out by themselves. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 32_000)
    const server = createServer()
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false))
      server.listen(port, '127.0.0.1', () => resolve(true))
    })
    await new Promise((resolve) => server.close(resolve))
    if (isFree) return port
  }
}
