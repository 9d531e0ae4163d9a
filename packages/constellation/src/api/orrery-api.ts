import type { RouteAnswer } from '@orrery/aip/api'
import { AsksApi } from './asks-api.js'
import { DevicesApi } from './devices-api.js'
import type { ReconnectLimits } from './event-stream.js'
import { EventsApi } from './events-api.js'
import type { Fetch } from './http-caller.js'
import { type CallOptions, type JsonRouteName, RouteCaller, type RouteInput } from './route-caller.js'
import { serverAddress } from './server-address.js'
import { SessionsApi } from './sessions-api.js'
import { WorkflowsApi } from './workflows-api.js'

/** Options of {@link OrreryApi}. */
export interface OrreryApiOptions {
  /** Address of the server, such as `http://127.0.0.1:5000`. */
  server: string
  /** The operator key. */
  apiKey?: string | undefined
  /** Where the key comes from, so that the error for a wrong key can name it. */
  keySource?: string | undefined
  /** Milliseconds that a call may take. Default 45,000: longer than the server's own limits, whose errors say more. */
  timeoutMs?: number
  /** What sends the requests, such as `trustingFetch({ ca })` for a server with a certificate of its own. Default: the global `fetch`. */
  fetch?: Fetch | undefined
  /** How a lost event stream is reconnected. */
  reconnect?: Partial<ReconnectLimits>
}

/** Called as a function: browsers refuse it as a method of another object. */
const globalFetch: Fetch = (input, init) => fetch(input, init)

const RECONNECT: ReconnectLimits = { firstMs: 250, longestMs: 5000, giveUpMs: 120_000 }

/**
 * The HTTP API and event streams of a server, typed and grouped by subject. Every answer is validated; every failure is an `ApiClientError` whose
 * message a user can act on. Runs in browsers too.
 */
export class OrreryApi {
  readonly devices: DevicesApi
  readonly sessions: SessionsApi
  readonly workflows: WorkflowsApi
  readonly asks: AsksApi
  readonly events: EventsApi
  readonly #caller: RouteCaller

  /** @throws {ApiClientError} `INVALID_INPUT` when `server` is not an address */
  constructor(options: OrreryApiOptions) {
    const target = {
      base: serverAddress(options.server),
      apiKey: options.apiKey,
      keySource: options.keySource,
      fetch: options.fetch ?? globalFetch,
    }
    this.#caller = new RouteCaller(target, options.timeoutMs ?? 45_000)
    this.devices = new DevicesApi(this.#caller)
    const reconnect = { ...RECONNECT, ...options.reconnect }
    this.sessions = new SessionsApi(this.#caller, reconnect)
    this.events = new EventsApi(this.#caller, reconnect)
    this.workflows = new WorkflowsApi(this.#caller)
    this.asks = new AsksApi(this.#caller)
  }

  /** Address of the server, without a trailing slash. */
  get server(): string {
    return this.#caller.target.base
  }

  /**
   * Calls any route that answers with JSON by its name and returns the whole answer. The groups are shorter: their lists return only the
   * items, so `api.call` is the way to the `position` of `devices.list`, `sessions.list` and `asks.list`, from which `events.follow`
   * continues without a gap, and to the `listed_at` of `devices.tools`.
   */
  call<Name extends JsonRouteName>(name: Name, input: RouteInput<Name>, options?: CallOptions): Promise<RouteAnswer<Name>> {
    return this.#caller.call(name, input, options)
  }
}
