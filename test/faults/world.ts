import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { DeviceRig } from './device-rig.ts'
import { ServerRig } from './server-rig.ts'

/** One server and some devices, all as processes. */
export class World implements AsyncDisposable {
  readonly folder: string
  readonly server: ServerRig
  readonly devices: DeviceRig[]
  /** Whether the folder with logs, ledgers and output stays. */
  keep = false

  private constructor(folder: string, server: ServerRig, devices: DeviceRig[]) {
    this.folder = folder
    this.server = server
    this.devices = devices
  }

  /** Starts everything. Settles when all devices are online. */
  static async start(deviceCount: number): Promise<World> {
    const folder = mkdtempSync(join(tmpdir(), 'orrery-faults-'))
    const server = await ServerRig.make(folder, 'key-of-the-fault-tests')
    const ids = Array.from({ length: deviceCount }, (_, index) => `device-${index + 1}`)
    const devices = await Promise.all(ids.map((id) => DeviceRig.make(folder, id, server.key, server.port)))
    const world = new World(folder, server, devices)
    try {
      await server.start()
      for (const device of devices) device.start()
      while ((await server.api.online()).size < deviceCount) await sleep(50)
      return world
    } catch (error) {
      await world[Symbol.asyncDispose]()
      throw error
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.devices.map((device) => device[Symbol.asyncDispose]()))
    await this.server[Symbol.asyncDispose]()
    if (!this.keep) rmSync(this.folder, { recursive: true, force: true })
  }
}
