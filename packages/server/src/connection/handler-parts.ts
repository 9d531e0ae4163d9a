import { LIMITS, type Clock, type Dialect, type Feature, type Logger } from '@orrery/aip'
import { WorkflowLibrary } from '../agents/workflow/workflow-library.js'
import type { ClientConnectionManager } from '../clients/client-connection-manager.js'
import { ResumeTokens } from '../clients/resume-tokens.js'
import { DeviceOverlays } from '../config/device-overlays.js'
import { DeviceFiles } from '../files/device-files.js'
import { WaitingTransfers } from '../files/waiting-transfers.js'
import { DeviceTerminals } from '../terminals/device-terminals.js'
import { createFleet } from '../fleet/create-fleet.js'
import type { Fleet } from '../fleet/fleet.js'
import { Asks } from '../sessions/asks.js'
import { ModelAllowance } from '../sessions/model-allowance.js'
import type { SessionManager } from '../sessions/session-manager.js'
import { SqliteClientStore } from '../store/sqlite-client-store.js'
import { SERVER_LIMITS } from '../limits.js'
import type { RegistrationRules } from './registration-rules.js'

/** What a handler is made of. The two managers are enough; `startServer` gives the rest too. */
export interface HandlerOptions {
  clientManager: ClientConnectionManager
  sessionManager: SessionManager
  /** Serve only WebSockets that come from this machine. Default false. */
  local?: boolean
  /** The use cases. Default: those of the two managers, without workflows of one's own and without transfers of whole files. */
  fleet?: Fleet
  /** Default: that of the session manager; so is the clock. */
  logger?: Logger
  clock?: Clock
  /** The dialect of messages; `auto` follows each client. Default `auto`. */
  dialect?: Dialect | 'auto' | undefined
  rules?: RegistrationRules
  /** What the server adds to its devices. Default: nothing. */
  overlays?: DeviceOverlays
  /** The tokens with which clients return. Default: they are forgotten with the process. */
  tokens?: ResumeTokens
  asks?: Asks
  /** With `off`, no session waits for a client that has dropped, as seeds 002 and 004 have it. Default `on`. */
  resume?: 'on' | 'off' | undefined
  /** Messages of one client a second. Default 200. */
  messageRate?: number | undefined
  /** Milliseconds of silence after which a client is dropped. Default: never. */
  heartbeatTimeoutMs?: number | undefined
  /** Milliseconds without an answer after which a connection that can resume counts as dead. Default 30 s. */
  resumeSilenceMs?: number | undefined
}

/** What a handler works with. */
export interface HandlerParts extends Required<
  Omit<HandlerOptions, 'dialect' | 'resume' | 'messageRate' | 'heartbeatTimeoutMs' | 'resumeSilenceMs'>
> {
  dialect: Dialect | 'auto'
  messageRate: number
  heartbeatTimeoutMs: number | undefined
  resumeSilenceMs: number
  /** The optional features that the server has. */
  features: ReadonlySet<Feature>
}

/** The features that keep sessions while a client is away. */
const RESUME: readonly Feature[] = ['journal', 'resume']

/** Completes the options of a handler. */
export function handlerParts(options: HandlerOptions): HandlerParts {
  const { clientManager: clients, sessionManager: sessions } = options
  const { environment } = sessions
  const { logger = environment.logger, clock = environment.clock } = options
  const { feed, peers } = environment
  const tokens = options.tokens ?? new ResumeTokens(new SqliteClientStore(':memory:'), clock)
  const asks = options.asks ?? new Asks({ live: sessions.live, peers, feed, clock, logger })
  return {
    clientManager: clients,
    sessionManager: sessions,
    local: options.local ?? false,
    fleet: options.fleet ?? fleetOf(clients, sessions, asks, tokens),
    logger,
    clock,
    dialect: options.dialect ?? 'auto',
    rules: options.rules ?? {},
    overlays: options.overlays ?? DeviceOverlays.load(undefined),
    tokens,
    asks,
    messageRate: options.messageRate ?? SERVER_LIMITS.messageRate,
    heartbeatTimeoutMs: options.heartbeatTimeoutMs,
    resumeSilenceMs: options.resumeSilenceMs ?? LIMITS.resumeSilence,
    features: new Set<Feature>([
      ...(options.resume === 'off' ? [] : RESUME),
      'cancel',
      'progress',
      'ask',
      // Only the server's own port takes the connections for files and terminals.
      ...(options.fleet === undefined ? [] : (['files', 'terminal'] as const)),
      'concurrent',
      'info',
    ]),
  }
}

function fleetOf(clients: ClientConnectionManager, sessions: SessionManager, asks: Asks, tokens: ResumeTokens): Fleet {
  const { store, feed, toolLists, clock, logger } = sessions.environment
  const waiting = new WaitingTransfers(() => null)
  const files = new DeviceFiles(clients, { sessions, waiting, clock, logger })
  const workflows = new WorkflowLibrary(null, sessions.environment.secrets, logger)
  const allowance = new ModelAllowance({ agents: sessions.environment.agents, clock, perDay: 0 })
  return createFleet({
    clients,
    known: clients.known,
    tokens,
    toolLists,
    sessions,
    store,
    feed,
    asks,
    files,
    terminals: new DeviceTerminals(clients, { waiting, clock, logger }),
    workflows,
    allowance,
  })
}
