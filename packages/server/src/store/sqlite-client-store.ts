import type { DatabaseSync } from 'node:sqlite'
import { Feature, PushedTool, messageOf } from '@orrery/aip'
import { KeyValues } from '@orrery/log'
import { z } from 'zod'
import type { ClientKey, ClientStore, HeldTokens, KnownDevice, KnownTools } from './client-store.js'
import { SERVER_LIMITS } from '../limits.js'
import { serverError } from '../errors.js'

const DEVICES = 'devices'
const TOOLS = 'tools'
/** A bucket for each kind of client: they may have the same ids. */
const TOKENS = { device: 'tokens', constellation: 'constellation_tokens' } as const

const Device = z.object({
  platform: z.string(),
  systemInfo: z.record(z.string(), z.unknown()).nullable(),
  // A newer version may have stored features that this one does not know.
  features: z.array(z.string()).transform((names) => names.flatMap((name) => Feature.safeParse(name).data ?? [])),
  firstSeenAt: z.number(),
  lastSeenAt: z.number(),
})
const Tools = z.object({ tools: z.array(PushedTool), listedAt: z.number() })
const Tokens = z
  .union([
    z.object({ hashes: z.array(z.string()), since: z.number() }),
    // An older server stored the hashes alone.
    z.array(z.string()).transform((hashes) => ({ hashes, since: 0 })),
  ])
  .nullable()

/** Keeps what is known about clients in one SQLite file, or in memory. */
export class SqliteClientStore implements ClientStore {
  readonly #values: KeyValues
  /** The tokens that were read last, by client: a registration reads them twice. This store alone writes them. */
  readonly #recentTokens = new Map<string, HeldTokens | null>()

  /** @param path of the file; `:memory:` keeps nothing after the process @throws LogError if it cannot be opened */
  constructor(path: string) {
    this.#values = new KeyValues(path, adoptTokens)
  }

  devices(): Promise<KnownDevice[]> {
    return this.#try(() =>
      this.#values.entries(DEVICES).flatMap(([clientId, value]) => {
        const device = Device.safeParse(value)
        return device.success ? [{ clientId, ...device.data }] : []
      }),
    )
  }

  saveDevice({ clientId, ...device }: KnownDevice): Promise<void> {
    return this.#values.set(DEVICES, clientId, device).catch(fail)
  }

  async forgetDevice(deviceId: string): Promise<void> {
    await Promise.all([DEVICES, TOOLS].map((bucket) => this.#values.delete(bucket, deviceId))).catch(fail)
  }

  tools(deviceId: string): Promise<KnownTools | null> {
    return this.#try(() => Tools.safeParse(this.#values.get(TOOLS, deviceId)).data ?? null)
  }

  saveTools(deviceId: string, tools: KnownTools): Promise<void> {
    return this.#values.set(TOOLS, deviceId, tools).catch(fail)
  }

  tokens(client: ClientKey): Promise<HeldTokens | null> {
    const name = nameOf(client)
    const recent = this.#recentTokens.get(name)
    if (recent !== undefined) return Promise.resolve(recent)
    return this.#try(() => {
      const tokens = Tokens.parse(this.#values.get(TOKENS[client.clientType], client.clientId) ?? null)
      if (this.#recentTokens.size >= SERVER_LIMITS.recentTokens) this.#recentTokens.clear()
      this.#recentTokens.set(name, tokens)
      return tokens
    })
  }

  saveTokens(client: ClientKey, tokens: HeldTokens): Promise<void> {
    return this.#forgetting(client, this.#values.set(TOKENS[client.clientType], client.clientId, tokens))
  }

  deleteTokens(client: ClientKey): Promise<void> {
    return this.#forgetting(client, this.#values.delete(TOKENS[client.clientType], client.clientId))
  }

  /** Forgets tokens that change, at once and again if the change fails: they were read as changed meanwhile. */
  #forgetting(client: ClientKey, change: Promise<void>): Promise<void> {
    this.#recentTokens.delete(nameOf(client))
    return change.catch((error: unknown) => {
      this.#recentTokens.delete(nameOf(client))
      return fail(error)
    })
  }

  close(): Promise<void> {
    return this.#values.close()
  }

  #try<T>(work: () => T): Promise<T> {
    try {
      return Promise.resolve(work())
    } catch (error) {
      return Promise.reject(storeError(error))
    }
  }
}

function nameOf({ clientType, clientId }: ClientKey): string {
  return `${clientType} ${clientId}`
}

/** Imports the tokens of an older file, which was a log of records: each open stream holds one hash, labelled with its client. */
function adoptTokens(db: DatabaseSync): void {
  const rows = db
    .prepare(
      'SELECT label_client_id AS id, data FROM streams JOIN records ON records.seq = streams.first_seq WHERE closed_at IS NULL ORDER BY first_seq',
    )
    .all()
  const hashes = new Map<string, string[]>()
  for (const { id, data } of rows) {
    const hash: unknown = JSON.parse(String(data))
    if (typeof id === 'string' && typeof hash === 'string') hashes.set(id, [...(hashes.get(id) ?? []), hash])
  }
  const add = db.prepare('INSERT INTO entries (bucket, key, value) VALUES (?, ?, ?)')
  for (const [id, known] of hashes) add.run(TOKENS.device, id, JSON.stringify(known))
  const old = ['streams', 'records', 'ends', 'log_values', 'pruned']
  for (const table of old) db.exec(`DROP TABLE IF EXISTS ${table}`)
}

function fail(error: unknown): never {
  throw storeError(error)
}

function storeError(error: unknown): Error {
  return serverError('STORE_FAILED', { detail: messageOf(error) })
}
