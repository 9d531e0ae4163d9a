import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { SmallDisk } from './disk.ts'
import { FaultProxy } from './fault-proxy.ts'
import { Ledger } from './ledger.ts'
import { Program } from './program.ts'
import { Turns } from './turns.ts'

const TOOL = fileURLToPath(new URL('ledger-tool.mjs', import.meta.url))
const DISK_BYTES = 512 * 1024 ** 2

/** A time in which commands may fail: the process was killed, its disk had no room, or another client had its id. */
export interface Trouble {
  kind: 'killed' | 'full' | 'intruder'
  /** Milliseconds since the epoch. */
  from: number
  to: number
}

/** A device as a process, with its proxy, its ledger, its disk and its journal. */
export class DeviceRig implements AsyncDisposable {
  readonly id: string
  readonly proxy: FaultProxy
  readonly ledger: Ledger
  readonly disk: SmallDisk
  /** Says where the process is struck. */
  readonly point: string
  /** Who may kill, stop or fill: one at a time. */
  readonly turns = new Turns()
  readonly troubles: Trouble[] = []
  readonly #home: string
  readonly #key: string
  #program: Program | null = null

  private constructor(folder: string, id: string, key: string, proxy: FaultProxy) {
    this.id = id
    this.#key = key
    this.#home = join(folder, id)
    this.proxy = proxy
    this.point = join(this.#home, 'point')
    this.disk = new SmallDisk(join(this.#home, 'devices'), DISK_BYTES)
    this.ledger = new Ledger(join(this.#home, 'ledger'))
    const server = { command: process.execPath, args: [TOOL, this.ledger.path] }
    const config = {
      reconnect_s: 0.4,
      tools: { BashExecutor: false, CommandLineExecutor: false },
      mcpServers: { ledger: server },
      policy: [{ server: 'ledger', do: 'allow' }],
    }
    writeFileSync(join(this.#home, 'device.jsonc'), JSON.stringify(config))
  }

  /** @param folder where its own folder is made @param serverPort to which its proxy leads */
  static async make(folder: string, id: string, key: string, serverPort: number): Promise<DeviceRig> {
    mkdirSync(join(folder, id), { recursive: true })
    return new DeviceRig(folder, id, key, await FaultProxy.listen(serverPort))
  }

  /** Starts the process. */
  start(): void {
    const url = `ws://127.0.0.1:${this.proxy.port}/ws`
    const level = process.env['ORRERY_FAULTS_LOG'] ?? 'WARNING'
    const { point } = this
    this.#program = new Program(['device', '--ws-server', url, '--client-id', this.id, '--log-level', level], {
      home: this.#home,
      key: this.#key,
      point,
      output: join(this.#home, 'output'),
    })
  }

  /** The current process. @throws before the first start */
  get program(): Program {
    if (this.#program === null) throw new Error(`${this.id} was not started`)
    return this.#program
  }

  /** Notes that the process has died. */
  died(): void {
    this.ledger.forgetRunning()
    this.troubles.push({ kind: 'killed', from: Date.now(), to: Date.now() })
  }

  async kill(): Promise<void> {
    await this.program.kill()
    this.died()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    rmSync(this.point, { force: true })
    this.#program?.signal('SIGCONT')
    await this.#program?.kill()
    await this.proxy[Symbol.asyncDispose]()
    this.ledger.close()
    this.disk[Symbol.dispose]()
  }
}
