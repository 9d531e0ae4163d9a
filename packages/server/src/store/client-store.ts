import type { Feature, PushedTool } from '@orrery/aip'

/** A device that is or was online. */
export interface KnownDevice {
  clientId: string
  platform: string
  /** What it says of itself, with what the server adds; null if it says nothing. */
  systemInfo: Record<string, unknown> | null
  features: readonly Feature[]
  /** Milliseconds since the epoch. */
  firstSeenAt: number
  lastSeenAt: number
}

/** The tools that a device listed. */
export interface KnownTools {
  tools: readonly PushedTool[]
  /** Milliseconds since the epoch. */
  listedAt: number
}

/**
 * What the server knows of its clients, also after a restart. What was set can be read at once. Every method rejects with AipError
 * `STORE_FAILED` when the store cannot do it.
 */
export interface ClientStore {
  /** Every device that is known, in no order. */
  devices(): Promise<KnownDevice[]>
  saveDevice(device: KnownDevice): Promise<void>
  /** Forgets a device and its tools. Its tokens stay good: its id is not free for another. */
  forgetDevice(deviceId: string): Promise<void>
  /** What a device listed last; null if it never did. */
  tools(deviceId: string): Promise<KnownTools | null>
  saveTools(deviceId: string, tools: KnownTools): Promise<void>
  /** The hashes of the resume tokens that are good for a client, oldest first. */
  tokens(clientId: string): Promise<readonly string[]>
  saveTokens(clientId: string, hashes: readonly string[]): Promise<void>
  /** Commits what waits and lets go of the store. */
  close(): Promise<void>
}
