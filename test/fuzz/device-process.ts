import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Findings } from './findings.ts'

const MAIN = fileURLToPath(new URL('../../packages/cli/bin/orrery.js', import.meta.url))

/** A real device as a process of its own, which may not end by itself. */
export class DeviceProcess {
  readonly #child: ChildProcess
  #stopped = false
  #errors = ''

  /**
   * @param folder for its home and its work
   * @param config of the device, as in device.jsonc
   */
  constructor(kind: string, findings: Findings, folder: string, address: string, token: string, config: object) {
    const [home, work] = [join(folder, 'home'), join(folder, 'work')]
    for (const each of [home, work]) mkdirSync(each, { recursive: true })
    writeFileSync(join(home, 'device.jsonc'), JSON.stringify(config))
    const args = [MAIN, 'device', '--ws-server', `${address.replace('http', 'ws')}/ws`, '--client-id', `fuzz-${kind}`]
    this.#child = spawn(process.execPath, args, {
      env: { PATH: process.env['PATH'], HOME: home, ORRERY_HOME: home, ORRERY_API_KEY: token, NO_COLOR: '1' },
      cwd: work,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    this.#child.stderr?.on('data', (data: Buffer) => {
      this.#errors = `${this.#errors}${data.toString()}`.slice(-2000)
    })
    this.#child.once('exit', (code, signal) => {
      if (!this.#stopped) findings.add(kind, `the device ended with ${code ?? signal}: ${this.#errors}`)
      this.#stopped = true
    })
  }

  get stopped(): boolean {
    return this.#stopped
  }

  async stop(): Promise<void> {
    if (this.#stopped) return
    this.#stopped = true
    const exit = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await exit
  }
}
