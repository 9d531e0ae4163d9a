import { BUILT_IN_NAMES, type BuiltInName } from './config/built-in-names.js'
import type { DeviceConfig } from './config/device-config.js'
import type { Environment } from './process/child-environment.js'
import { isAvailable } from './tools/built-in-servers.js'

/** What the built-in servers make a device capable of, in the words of the seeds (seed 004, device info structure). */
const OF_SERVERS: Readonly<Record<BuiltInName, string>> = {
  BashExecutor: 'command_execution',
  CommandLineExecutor: 'application_launch',
  shell: 'command_execution',
  files: 'file_operations',
  system: 'system_information',
  desktop: 'ui_automation',
  pdf: 'document_reading',
}

const OF_PRESETS: Readonly<Record<DeviceConfig['presets'][number], string>> = {
  browser: 'web_browsing',
  'chrome-devtools': 'web_browsing',
  android: 'mobile_automation',
}

/** Returns what a device can do with the servers that its configuration switches on. */
export function capabilitiesOf({ tools, presets }: DeviceConfig, env: Environment): string[] {
  const servers = BUILT_IN_NAMES.filter((name) => tools[name] && isAvailable(name, env)).map((name) => OF_SERVERS[name])
  return [...new Set([...servers, ...presets.map((name) => OF_PRESETS[name])])]
}
