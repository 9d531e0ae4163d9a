import type { CommandsOutcome, Device, RunCommands, WrittenFile } from '@orrery/aip/api'
import type { MCPToolInfo } from '@orrery/aip'
import { type DeviceFile, deviceFile } from './device-file.js'
import type { FileBytes } from './http-caller.js'
import type { CallOptions, RouteCaller } from './route-caller.js'

/** A file for a device. */
export interface FileContent extends FileBytes {
  /** Replace an existing file. Default false. */
  overwrite?: boolean
  /** Its permissions in octal, such as `750`. Default: those of the file that it replaces, or of a new file. */
  mode?: string | undefined
  /** When it was changed last. Default: now. */
  modified?: Date | undefined
}

/** The devices of a server. */
export class DevicesApi {
  readonly #caller: RouteCaller

  constructor(caller: RouteCaller) {
    this.#caller = caller
  }

  /** Lists the devices that are, or were, connected. */
  async list(options?: CallOptions): Promise<Device[]> {
    return (await this.#caller.call('devices.list', {}, options)).devices
  }

  /** Returns one device. */
  get(id: string, options?: CallOptions): Promise<Device> {
    return this.#caller.call('devices.get', { params: { id } }, options)
  }

  /** Forgets a device and frees its id for the next one that registers under it. Its sessions end and its connection is closed. */
  async forget(id: string, options?: CallOptions): Promise<void> {
    await this.#caller.call('devices.forget', { params: { id } }, options)
  }

  /** Lists the tools of a device. */
  async tools(id: string, options?: CallOptions): Promise<MCPToolInfo[]> {
    return (await this.#caller.call('devices.tools', { params: { id } }, options)).tools
  }

  /**
   * Runs commands on a device and waits for their results, for as long as the device may take. `fetch` waits at most 300 s for a
   * response to begin: for longer commands, or to be able to cancel, start a session and follow its events.
   */
  runCommands(id: string, body: RunCommands, options?: CallOptions): Promise<CommandsOutcome> {
    return this.#caller.call('devices.runCommands', { params: { id }, body }, { timeoutMs: null, ...options })
  }

  /**
   * Reads a file of a device, of any size. Settles when the device begins to send, which can take a while if its owner is asked first.
   * @param options.signal ends the transfer, even while the content is being read
   */
  async readFile(id: string, path: string, options: Pick<CallOptions, 'signal'> = {}): Promise<DeviceFile> {
    const response = await this.#caller.raw('devices.readFile', { params: { id }, query: { path } }, options)
    const sessionOf = (session: string) => this.#caller.call('sessions.get', { params: { id: session } })
    return deviceFile(response, sessionOf, options.signal)
  }

  /**
   * Writes a file on a device, of any size. The device gets all of it or nothing.
   * @param path where it goes; its folder must exist
   * @param options.signal ends the transfer
   */
  writeFile(
    id: string,
    path: string,
    { overwrite = false, mode, modified, ...content }: FileContent,
    options: Pick<CallOptions, 'signal'> = {},
  ): Promise<WrittenFile> {
    const query = {
      path,
      overwrite: overwrite ? ('true' as const) : ('false' as const),
      ...(mode === undefined ? {} : { mode }),
      ...(modified === undefined ? {} : { modified: modified.toISOString() }),
    }
    return this.#caller.call('devices.writeFile', { params: { id }, query }, { timeoutMs: null, ...options, content })
  }
}
