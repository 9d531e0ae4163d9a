import type { Command } from 'commander'
import type { DeviceConfig } from '@orrery/device'

/** The flags that add an MCP server to a device. */
export interface PresetFlags {
  browser?: boolean
  chromeDevtools?: boolean
  android?: boolean
}

/** Adds the flags of {@link PresetFlags} to a command. */
export function addPresetFlags(command: Command): Command {
  return command
    .option('--browser', "tools for the system's Chromium; needs the npm package @playwright/mcp")
    .option('--chrome-devtools', 'tools for developers of web pages; needs the npm package chrome-devtools-mcp')
    .option('--android', 'tools for an Android device over adb; needs the npm package @mobilenext/mobile-mcp')
}

/** The presets of a configuration and those of the flags. */
export function withPresets(presets: DeviceConfig['presets'], flags: PresetFlags): DeviceConfig['presets'] {
  const chosen: DeviceConfig['presets'] = [...presets]
  if (flags.browser === true) chosen.push('browser')
  if (flags.chromeDevtools === true) chosen.push('chrome-devtools')
  if (flags.android === true) chosen.push('android')
  return [...new Set(chosen)]
}
