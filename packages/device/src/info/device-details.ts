import { cpus, totalmem } from 'node:os'
import { installedApplications } from './applications.js'
import { screenResolution } from './screen.js'

/** What the seeds want of a device beyond the record that existing peers know (seed 004, device info structure; contradictions, C-16). */
export interface DeviceDetails {
  /** Such as `1920x1080`; null if it is not known. */
  screen_resolution: string | null
  installed_applications: readonly string[]
  capabilities: readonly string[]
  cpu_cores: number
  /** In GiB, rounded to two decimals. */
  memory_gb: number
}

/** Collects what does not need a program to be started. Never throws. */
export function collectDetails(capabilities: readonly string[]): DeviceDetails {
  return {
    screen_resolution: screenResolution(),
    installed_applications: installedApplications(),
    capabilities,
    cpu_cores: cpus().length,
    memory_gb: Math.round((totalmem() / 1024 ** 3) * 100) / 100,
  }
}
