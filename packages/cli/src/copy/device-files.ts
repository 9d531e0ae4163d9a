import { Result } from '@orrery/aip'
import type { OrreryApi } from '@orrery/constellation'
import { z } from 'zod'
import { CliError } from '../terminal/errors.js'

/** An entry of a folder on a device. */
const Entry = z.object({
  path: z.string(),
  type: z.string(),
  size: z.number(),
  modified: z.string(),
  mode: z.string().regex(/^[0-7]+$/),
})
export type Entry = z.infer<typeof Entry>

const Listed = z.object({ path: z.string(), entries: z.array(Entry), truncated: z.boolean() })

/** Entries that are listed at most, the most that the tool lists. */
const MOST = 10_000

/** What a device's tools say about its files. */
export class DeviceFiles {
  readonly #api: OrreryApi
  readonly device: string

  constructor(api: OrreryApi, device: string) {
    this.#api = api
    this.device = device
  }

  /** Looks at a path; null if there is nothing, or the device does not say. */
  async look(path: string): Promise<Entry | null> {
    return Entry.safeParse((await this.#call('stat_file', { path })).result).data ?? null
  }

  /**
   * Lists a folder.
   * @param depth levels of folders
   * @throws {CliError} if it cannot be listed, or has too many entries
   */
  async list(path: string, depth: number): Promise<{ path: string; entries: Entry[] }> {
    const { result, error } = await this.#call('list_files', { path, depth, limit: MOST })
    const listed = Listed.safeParse(result)
    if (!listed.success) throw new CliError(error ?? `${this.device} does not list '${path}'`)
    if (listed.data.truncated) throw new CliError(`'${path}' has more than ${MOST} entries: copy its folders one by one`)
    return listed.data
  }

  /** Writes a small file, and makes the folders that it needs. @throws {CliError} if it is refused */
  async write(path: string, content: Buffer, onlyNew: boolean): Promise<void> {
    const parameters = { path, content: content.toString('base64'), encoding: 'base64', only_new: onlyNew }
    const { status, error } = await this.#call('write_file', parameters, false)
    if (status !== 'success') throw new CliError(error ?? `'${path}' was not written`)
  }

  async #call(tool: string, parameters: Record<string, unknown>, concurrent = true): Promise<Result> {
    const commands = [{ tool_name: tool, parameters }]
    const { results, error } = await this.#api.devices.runCommands(this.device, { commands, concurrent })
    const [result] = Result.array().parse(results)
    if (result === undefined) throw new CliError(error ?? `${this.device} did not answer`)
    return result
  }
}
