import { CLIENT_ID, messageOf } from '@orrery/aip'
import { existsSync } from 'node:fs'
import { hostname } from 'node:os'
import { join, resolve } from 'node:path'
import type { ConfigFile, DeviceConfig, DeviceOptions } from '@orrery/device'
import { terminalApprover } from '../terminal/ask-prompt.js'
import { usageError } from '../terminal/errors.js'
import { inHome, orreryHome } from './home.js'
import { type PresetFlags, withPresets } from './preset-flags.js'
import { type ShellMode, chooseShell } from './shell-mode.js'

/** The configuration file to read: the given one, else `device.jsonc` in ORRERY_HOME if it exists. @throws {CliError} with exit code 2 */
export function deviceConfigPath(given: string | undefined): string | undefined {
  if (given !== undefined) {
    if (!existsSync(given)) throw usageError(`There is no file ${given}: --config names a device's configuration`)
    return given
  }
  const usual = inHome('device.jsonc')
  return existsSync(usual) ? usual : undefined
}

/** The name of this machine as a client id. */
function defaultClientId(): string {
  return (
    hostname()
      .replaceAll(/[^\w.@:-]/g, '-')
      .slice(0, 128) || 'device'
  )
}

/** What a command says about the device that it starts; flags first, then the environment, then the configuration. */
export interface DeviceFlags extends PresetFlags {
  clientId?: string | undefined
  token?: string | undefined
  shell?: ShellMode | undefined
  config?: string | undefined
}

/** A device's settings, complete but for the server. */
export interface DeviceSettings {
  clientId: string
  config: DeviceConfig
  configFile: ConfigFile
}

/** Reads the configuration and puts the flags and the environment over it. @throws {CliError} with exit code 2 */
export async function deviceSettings(flags: DeviceFlags): Promise<DeviceSettings> {
  const { loadDeviceConfig, DEFAULT_DEVICE_CONFIG } = await import('@orrery/device')
  const path = deviceConfigPath(flags.config)
  const shell = chooseShell(flags.shell)
  const complete = (config: DeviceConfig): DeviceConfig => ({
    ...config,
    presets: withPresets(config.presets, flags),
    shell: shell ?? config.shell,
  })
  const read = async (file: string): Promise<DeviceConfig> => complete(await loadDeviceConfig(file))
  const config =
    path === undefined
      ? complete(DEFAULT_DEVICE_CONFIG)
      : await read(path).catch((error: unknown) => {
          throw usageError(messageOf(error), error)
        })
  const clientId = flags.clientId ?? config.client_id ?? defaultClientId()
  if (!CLIENT_ID.test(clientId)) throw usageError(`'${clientId}' cannot be a device id: 1 to 128 letters, digits or _ . @ : -`)
  // A file that is not there yet may be made while the device runs.
  const file = resolve(path ?? inHome('device.jsonc'))
  return { clientId, config, configFile: { path: file, load: () => read(file) } }
}

/** What every device of this machine is started with, beyond its server. */
export function localDevice({ clientId, config, configFile }: DeviceSettings): Omit<DeviceOptions, 'serverUrl'> {
  // An id may be two dots, which must not lead out of the folder.
  const folder = inHome('devices', clientId.replace(/^\.+$/, '_'))
  return {
    clientId,
    config,
    configFile,
    journalPath: join(folder, 'journal.db'),
    auditPath: join(folder, 'audit.jsonl'),
    dataDir: folder,
    closedFolders: [orreryHome()],
    approver: terminalApprover(),
  }
}

/** The address that a device dials, from whatever form of the server's address was given. */
export function socketUrl(server: string): string {
  const text = server.trim().replace(/^http(s?):\/\//i, 'ws$1://')
  const url = URL.parse(/^[a-z]+:\/\//i.test(text) ? text : `ws://${text}`)
  if (url === null || !/^wss?:$/.test(url.protocol) || url.hostname === '') {
    throw usageError(`'${server}' is not the address of a server; one looks like ws://127.0.0.1:5000/ws`)
  }
  if (url.pathname === '/') url.pathname = '/ws'
  return url.href
}
