import { cpus, hostname, networkInterfaces, release, totalmem, type } from 'node:os'
import type { DeviceInfo } from '@orrery/aip'

/** The operating system as AIP names it: `windows`, `linux`, `darwin`, or Node's own name for others. */
export function detectPlatform(): string {
  return process.platform === 'win32' ? 'windows' : process.platform
}

/**
 * The platform under which a server chooses agents. Existing servers know only `windows`, `linux` and `mobile`
 * (contradictions, C-41), so a Mac is served like a Linux machine.
 */
export function sessionPlatform(platform: string): string {
  return platform === 'darwin' ? 'linux' : platform
}

const DESKTOP = ['gui', 'cli', 'browser', 'file_system', 'office']
const FEATURES: Readonly<Record<string, readonly string[]>> = {
  windows: [...DESKTOP, 'windows_apps'],
  linux: [...DESKTOP, 'linux_apps'],
  darwin: [...DESKTOP, 'macos_apps'],
  android: ['mobile_touch', 'mobile_apps', 'camera', 'gps'],
}

function attempt<T>(probe: () => T, fallback: T): T {
  try {
    return probe()
  } catch {
    return fallback
  }
}

function ipAddress(): string {
  const outside = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter((address) => !address.internal && !address.address.startsWith('fe80:'))
  return (outside.find((address) => address.family === 'IPv4') ?? outside[0])?.address ?? 'unknown'
}

/** What the device says about itself. */
export const DeviceInfoProvider = {
  /**
   * Collects the record of protocol reference, chapter 5. A probe that fails gives `unknown` or 0; it never throws.
   * @param customMetadata sent as `custom_metadata`
   */
  collectSystemInfo(this: void, clientId: string, customMetadata: Record<string, unknown> = {}): DeviceInfo {
    const platform = detectPlatform()
    const features = FEATURES[platform]
    return {
      device_id: clientId,
      platform,
      os_version: attempt(() => `${type()} ${release()}`, 'unknown'),
      cpu_count: attempt(() => cpus().length, 0),
      memory_total_gb: attempt(() => Math.round((totalmem() / 1024 ** 3) * 100) / 100, 0),
      hostname: attempt(hostname, 'unknown'),
      ip_address: attempt(ipAddress, 'unknown'),
      supported_features: [...(features ?? [])],
      platform_type: platform === 'android' ? 'mobile' : features === undefined ? 'unknown' : 'computer',
      schema_version: '1.0',
      custom_metadata: customMetadata,
    }
  },
}
