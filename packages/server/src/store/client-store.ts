import type { ClientType, Feature, PushedTool } from '@orrery/aip'

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

/** A client: a device and a constellation may have the same id. */
export interface ClientKey {
  clientId: string
  clientType: ClientType
}

/** The resume tokens of a client. */
export interface HeldTokens {
  /** Of the valid tokens, oldest first. */
  hashes: readonly string[]
  /** When their holder got the first one, in milliseconds since the epoch; 0 if it had no predecessor. */
  since: number
}

/**
 * What the server knows about its clients, kept across restarts. What was set can be read at once. Every method rejects with AipError
 * `STORE_FAILED` if the store fails.
 */
export interface ClientStore {
  /** Lists every known device, in no particular order. */
  devices(): Promise<KnownDevice[]>
  saveDevice(device: KnownDevice): Promise<void>
  /** Forgets a device and its tools. Its tokens stay valid: its id is not free for another device until {@link deleteTokens}. */
  forgetDevice(deviceId: string): Promise<void>
  /** Returns the tools that a device last listed; null if it never did. */
  tools(deviceId: string): Promise<KnownTools | null>
  saveTools(deviceId: string, tools: KnownTools): Promise<void>
  /** Returns the valid resume tokens of a client; null if it was never given one. */
  tokens(client: ClientKey): Promise<HeldTokens | null>
  saveTokens(client: ClientKey, tokens: HeldTokens): Promise<void>
  deleteTokens(client: ClientKey): Promise<void>
  /** Commits pending writes and closes the store. */
  close(): Promise<void>
}
