import type { Feature, PushedTool } from '@orrery/aip'

/** A device that is or was online. */
export interface KnownDevice {
  clientId: string
  platform: string
  /** What it reports about itself, with what the server adds; null if it reports nothing. */
  systemInfo: Record<string, unknown> | null
  features: readonly Feature[]
  /** Milliseconds since the epoch. */
  firstSeenAt: number
  lastSeenAt: number
}

/** The tools that a device has listed. */
export interface KnownTools {
  tools: readonly PushedTool[]
  /** Milliseconds since the epoch. */
  listedAt: number
}

/**
 * What the server knows about its clients, kept across restarts. What was set can be read at once. Every method rejects with AipError
 * `STORE_FAILED` if the store fails.
 */
export interface ClientStore {
  /** Lists every known device, in no particular order. */
  devices(): Promise<KnownDevice[]>
  saveDevice(device: KnownDevice): Promise<void>
  /** Forgets a device and its tools. Its tokens stay valid: its id is not free for another device. */
  forgetDevice(deviceId: string): Promise<void>
  /** Returns the tools that a device last listed; null if it never did. */
  tools(deviceId: string): Promise<KnownTools | null>
  saveTools(deviceId: string, tools: KnownTools): Promise<void>
  /** Returns the hashes of a client's valid resume tokens, oldest first. */
  tokens(clientId: string): Promise<readonly string[]>
  saveTokens(clientId: string, hashes: readonly string[]): Promise<void>
  /** Commits pending writes and closes the store. */
  close(): Promise<void>
}
