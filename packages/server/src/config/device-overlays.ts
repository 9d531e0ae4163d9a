import type { Command } from '@orrery/aip'
import { z } from 'zod'
import { loadYaml } from './server-config.js'

/** What a server adds to one device. Unknown keys are ordinary metadata. */
const DeviceOverlay = z.looseObject({
  /** Features that the device does not report itself. */
  additional_features: z.array(z.string()).optional(),
  tags: z.array(z.string()).optional(),
  /** Arguments added to the calls of a tool, by its name, such as the `api_key` that some tools require. Never logged. */
  tool_arguments: z.record(z.string(), z.record(z.string(), z.unknown())).optional(),
})
type DeviceOverlay = z.infer<typeof DeviceOverlay>

/** Names of arguments that are keys; others, such as a folder, are not secret. */
const KEY_NAME = /(?:key|token|secret|password)$/i

const DevicesFile = z.strictObject({ devices: z.record(z.string(), DeviceOverlay).default({}) })

/** What the owner of a server configures about its devices (server reference, chapter 5). */
export class DeviceOverlays {
  readonly #devices: ReadonlyMap<string, DeviceOverlay>

  private constructor(devices: ReadonlyMap<string, DeviceOverlay>) {
    this.#devices = devices
  }

  /** @param path of a YAML or JSON file with `devices:` by id; without one, nothing is added @throws AipError `INVALID_CONFIG` */
  static load(path: string | undefined): DeviceOverlays {
    return new DeviceOverlays(new Map(path === undefined ? [] : Object.entries(loadYaml(path, DevicesFile).devices)))
  }

  /** Returns what a device reports about itself, merged with what is configured here, which wins. */
  describe(deviceId: string, info: Record<string, unknown> | null): Record<string, unknown> | null {
    const overlay = this.#devices.get(deviceId)
    if (overlay === undefined || info === null) return info
    const { tool_arguments: _secret, ...metadata } = overlay
    const told = Array.isArray(info['supported_features']) ? info['supported_features'] : []
    const custom = typeof info['custom_metadata'] === 'object' ? info['custom_metadata'] : {}
    return {
      ...info,
      supported_features: [...new Set<unknown>([...told, ...(overlay.additional_features ?? [])])],
      custom_metadata: { ...custom, ...metadata },
      ...(overlay.tags === undefined ? {} : { tags: overlay.tags }),
    }
  }

  /** Returns the names of the arguments that {@link complete} adds to calls of a tool. */
  addedArguments(deviceId: string, toolName: string): readonly string[] {
    return Object.keys(this.#devices.get(deviceId)?.tool_arguments?.[toolName] ?? {})
  }

  /** Returns the keys among the arguments that are added to calls. */
  keys(): string[] {
    const added = [...this.#devices.values()].flatMap(({ tool_arguments: tools }) => Object.values(tools ?? {}))
    return added
      .flatMap((values) => Object.entries(values))
      .flatMap(([name, value]) => (KEY_NAME.test(name) && typeof value === 'string' ? [value] : []))
  }

  /** Returns a command with the arguments that are configured for its tool; arguments of the command itself stay. */
  complete(deviceId: string, command: Command): Command {
    const added = this.#devices.get(deviceId)?.tool_arguments?.[command.tool_name]
    return added === undefined ? command : { ...command, parameters: { ...added, ...command.parameters } }
  }
}
