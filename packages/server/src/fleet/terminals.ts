import type { TerminalWanted } from '@orrery/aip'
import { requireRight, type Principal } from '../identity/principal.js'
import type { DeviceTerminal, DeviceTerminals } from '../terminals/device-terminals.js'
import type { FleetDevices } from './devices.js'

/** Interactive terminals on devices. */
export class FleetTerminals {
  readonly #terminals: DeviceTerminals
  readonly #devices: FleetDevices

  constructor(terminals: DeviceTerminals, devices: FleetDevices) {
    this.#terminals = terminals
    this.#devices = devices
  }

  /**
   * Has a device dial for a terminal. What is typed there runs without another question, so it needs the right to approve besides that to run.
   * @param signal aborted when the caller has gone
   * @throws AipError `DEVICE_NOT_FOUND`, `DEVICE_OFFLINE`, `TERMINAL_UNSUPPORTED`, `TOO_MANY_TERMINALS`, `TIMEOUT`
   */
  async open(principal: Principal, deviceId: string, wanted: TerminalWanted, signal: AbortSignal): Promise<DeviceTerminal> {
    requireRight(principal, 'approve')
    requireRight(principal, 'run')
    this.#devices.requireOnline(principal, deviceId)
    return this.#terminals.open(principal.name, deviceId, wanted, signal)
  }
}
