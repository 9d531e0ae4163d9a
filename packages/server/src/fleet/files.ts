import type { Readable } from 'node:stream'
import type { WrittenFile } from '@orrery/aip/api'
import type { DeviceFile, DeviceFiles, FileForDevice } from '../files/device-files.js'
import { ownerOf, requireRight, type Principal } from '../identity/principal.js'
import type { FleetDevices } from './devices.js'

/** Whole files from and to devices. */
export class FleetFiles {
  readonly #files: DeviceFiles
  readonly #devices: FleetDevices

  constructor(files: DeviceFiles, devices: FleetDevices) {
    this.#files = files
    this.#devices = devices
  }

  /**
   * Has a device send a file.
   * @param signal aborted when the bytes are no longer wanted, which may be before they are read
   * @throws AipError `DEVICE_NOT_FOUND`, `DEVICE_OFFLINE`, `TRANSFER_UNSUPPORTED`, `TIMEOUT`, or what the device says
   */
  async read(principal: Principal, deviceId: string, path: string, signal: AbortSignal): Promise<DeviceFile> {
    requireRight(principal, 'run')
    this.#devices.requireOnline(principal, deviceId)
    return this.#files.read(ownerOf(principal), deviceId, path, signal)
  }

  /**
   * Has a device receive a file.
   * @param body the bytes; after a failure the rest is read and discarded, so that the sender gets the answer
   * @param signal aborted when the sender of the bytes has gone
   * @throws AipError as {@link read}
   */
  async write(
    principal: Principal,
    deviceId: string,
    file: FileForDevice,
    body: Readable,
    signal: AbortSignal,
  ): Promise<WrittenFile> {
    try {
      requireRight(principal, 'run')
      this.#devices.requireOnline(principal, deviceId)
    } catch (error) {
      body.resume()
      throw error
    }
    return this.#files.write(ownerOf(principal), deviceId, file, body, signal)
  }

  /** Ends open transfers. */
  close(): void {
    this.#files.close()
  }
}
