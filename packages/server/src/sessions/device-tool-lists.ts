import { LIMITS, PushedTool, agentNameFor, sleep, type Clock, type Result } from '@orrery/aip'
import { z } from 'zod'
import type { DevicePeer, Peers } from './peers.js'

/** What {@link DeviceToolLists} work with. */
export interface DeviceToolListsOptions {
  peers: Peers
  clock: Clock
  /** Overrides the platform that devices register with. */
  platform?: string | undefined
  /** Called with each list. */
  listed?: ((deviceId: string, tools: readonly PushedTool[]) => void) | undefined
}

const Tools = z.array(PushedTool).min(1)

/**
 * The tools of devices that list them only when asked, as existing devices do: each is asked once a connection, by one command
 * outside any session. `null` stands for a device that did not say: it was silent, failed, or listed nothing.
 */
export class DeviceToolLists {
  readonly #options: DeviceToolListsOptions
  readonly #lists = new WeakMap<object, Promise<readonly PushedTool[] | null>>()
  /** Waiters for results, by response id. */
  readonly #asked = new Map<string, { deviceId: string; answer: (results: readonly Result[]) => void }>()

  constructor(options: DeviceToolListsOptions) {
    this.#options = options
  }

  /** Returns the tools of a device, of all types; asks it if it was not asked on this connection. Takes at most 2 s, and never rejects. */
  of(deviceId: string): Promise<readonly PushedTool[] | null> {
    const device = this.#options.peers.device(deviceId)
    if (device === undefined) return Promise.resolve(null)
    return this.#lists.get(device.connection) ?? this.#askNow(device)
  }

  /** As {@link of}, but a device that did not say is asked again: a user wants the list. */
  async wanted(deviceId: string): Promise<readonly PushedTool[] | null> {
    const device = this.#options.peers.device(deviceId)
    const known = device === undefined ? undefined : await this.#lists.get(device.connection)
    return known ?? (device === undefined ? null : this.#askNow(device))
  }

  #askNow(device: DevicePeer): Promise<readonly PushedTool[] | null> {
    const list = this.#ask(device).catch(() => null)
    this.#lists.set(device.connection, list)
    return list
  }

  /** Takes the results of a batch. @returns whether it was one that asks for a list */
  answered(deviceId: string, responseId: string, results: readonly Result[]): boolean {
    const asked = this.#asked.get(responseId)
    if (asked?.deviceId !== deviceId) return false
    asked.answer(results)
    return true
  }

  async #ask(device: DevicePeer): Promise<readonly PushedTool[] | null> {
    const { clock, platform, listed } = this.#options
    const responseId = crypto.randomUUID()
    const { promise, resolve } = Promise.withResolvers<readonly Result[]>()
    const answered = new AbortController()
    this.#asked.set(responseId, { deviceId: device.deviceId, answer: resolve })
    try {
      await device.sendCommands({
        sessionId: crypto.randomUUID(),
        taskName: 'list_tools',
        responseId,
        agentName: agentNameFor(platform ?? device.platform),
        processName: '',
        rootName: '',
        label: null,
        secrets: [],
        // Without a type in the parameters all types are listed; not every device has a list of each type.
        actions: [{ tool_name: 'list_tools', tool_type: 'action', parameters: {}, call_id: crypto.randomUUID() }],
        concurrent: true,
      })
      const late = sleep(clock, LIMITS.toolListTime, answered.signal).then(() => [])
      const [result] = await Promise.race([promise, late])
      const tools = result?.status === 'success' ? (Tools.safeParse(result.result).data ?? null) : null
      if (tools !== null) listed?.(device.deviceId, tools)
      return tools
    } finally {
      answered.abort()
      this.#asked.delete(responseId)
    }
  }
}
