import { startOf } from '@orrery/aip'
import { SERVER_LIMITS } from '../../limits.js'
import { jsonText } from './json-text.js'
import type { ToolProse } from './model-tools.js'
import { Untrusted } from './untrusted.js'

/** What a device says of itself. */
export interface DeviceFacts {
  deviceId: string
  platform: string
  /** The application that the model works in. */
  application: { process: string; root: string } | null
  tools: Readonly<Record<string, ToolProse>>
}

/** Returns what a model is given about the device of its task, as JSON. */
export function aboutDevice({ deviceId, platform, application, tools }: DeviceFacts): Untrusted {
  const about = {
    device: name(deviceId),
    platform: name(platform),
    ...(application === null ? {} : { application: { process: name(application.process), root: name(application.root) } }),
    tools,
  }
  return new Untrusted(jsonText(about)).shortened(SERVER_LIMITS.modelDevice)
}

function name(text: string): string {
  return startOf(text, SERVER_LIMITS.modelDeviceName)
}
