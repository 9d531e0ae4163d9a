import type { Logger } from '@orrery/aip'

export interface DeviceConfig {
  client_id?: string | undefined
  server?: string | undefined
  token?: string | undefined
  shell: 'strict' | 'full'
}

export interface RunningDevice {
  registered: Promise<unknown>
  done: Promise<'stopped' | 'retries_spent'>
  stop(): Promise<void>
}

export interface DevicePackage {
  startDevice: (options: {
    serverUrl: string
    token?: string
    clientId: string
    platform?: string
    config: DeviceConfig
    maxRetries?: number
    logger: Logger
    request?: string
    taskName?: string
  }) => RunningDevice
  loadDeviceConfig: (path: string) => Promise<DeviceConfig>
  DEFAULT_DEVICE_CONFIG: DeviceConfig
}

export async function devicePackage(): Promise<DevicePackage> {
  const module: unknown = await import('@orrery/device')
  return module as DevicePackage
}
