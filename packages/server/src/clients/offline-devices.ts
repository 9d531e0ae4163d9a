import type { KnownDevice } from '../store/client-store.js'
import { SERVER_LIMITS } from '../limits.js'

interface Kept {
  /** Without what it says of itself, if that is kept as text. */
  device: KnownDevice
  /** That, as JSON: an object takes several times as much memory. */
  text: string | null
}

/** Devices that are known and not online, least recently seen first. What a device says of itself at length is kept as text. */
export class OfflineDevices {
  readonly #kept = new Map<string, Kept>()

  get size(): number {
    return this.#kept.size
  }

  /** The device that was seen longest ago; undefined if there is none. */
  get oldest(): string | undefined {
    return this.#kept.keys().next().value
  }

  /** Adds a device as the one that was seen last. */
  add(device: KnownDevice): void {
    const text = device.systemInfo === null ? null : JSON.stringify(device.systemInfo)
    const isLong = text !== null && text.length > SERVER_LIMITS.parsedDeviceInfo
    this.#kept.set(device.clientId, isLong ? { device: { ...device, systemInfo: null }, text } : { device, text: null })
  }

  get(deviceId: string): KnownDevice | undefined {
    const kept = this.#kept.get(deviceId)
    return kept && whole(kept)
  }

  delete(deviceId: string): void {
    this.#kept.delete(deviceId)
  }

  list(): KnownDevice[] {
    return Array.from(this.#kept.values(), whole)
  }
}

function whole({ device, text }: Kept): KnownDevice {
  return text === null ? device : { ...device, systemInfo: JSON.parse(text) as Record<string, unknown> }
}
