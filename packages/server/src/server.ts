import { join } from 'node:path'
import { messageOf, silentLogger, systemClock, type Clock, type Dialect, type Logger } from '@orrery/aip'
import type { Agent } from './agents/agent.js'
import { commandsAgent } from './agents/commands-agent.js'
import { modelAgent } from './agents/model/model-agent.js'
import type { ModelSettings } from './agents/model/model-settings.js'
import { followerAgent } from './agents/workflow/workflow-agent.js'
import { WorkflowLibrary } from './agents/workflow/workflow-library.js'
import { ClientConnectionManager } from './clients/client-connection-manager.js'
import { ResumeTokens } from './clients/resume-tokens.js'
import { ConnectedPeers } from './connection/connected-peers.js'
import { UFOWebSocketHandler } from './connection/ufo-websocket-handler.js'
import { WebSocketUpgrade } from './connection/upgrade.js'
import { DeviceOverlays } from './config/device-overlays.js'
import type { RegistrationRules } from './connection/registration-rules.js'
import { DeviceFiles } from './files/device-files.js'
import { WaitingTransfers } from './files/waiting-transfers.js'
import { createApp, type TlsOptions } from './http/app.js'
import { Keys } from './keys.js'
import { Asks } from './sessions/asks.js'
import { DeviceDirectory } from './sessions/device-directory.js'
import { EventHub, type EventListener } from './sessions/event-hub.js'
import { SessionArchive } from './sessions/session-archive.js'
import { SessionManager } from './sessions/session-manager.js'
import { LogSessionStore } from './store/log-session-store.js'
import type { SessionStore } from './store/session-store.js'

/** Settings of a server. */
export interface ServerOptions extends RegistrationRules {
  /** Default: loopback only. */
  host?: string
  /** Default 5000; 0 takes a free one. */
  port?: number
  /** Allows everything. */
  operatorKey: string
  /** Allows to be a device. */
  deviceKey: string
  /** Folder of the event log; without one nothing is kept after the process. */
  dataDir?: string
  /** `full` also survives power loss. Default `normal`. */
  durability?: 'normal' | 'full'
  /** Overrides the platform that devices register with. */
  platform?: string
  /** How messages are written; `auto` follows each client. Default `auto`. */
  dialect?: Dialect | 'auto'
  /** Tried before the built-in ones. */
  agents?: readonly Agent[]
  /** The model for requests in words, as `resolveModel` gives it. Default: none. */
  model?: ModelSettings | undefined
  /** Drop a client that sends nothing for this many milliseconds. Default: never. */
  heartbeatTimeoutMs?: number
  /** How long sessions wait for a device that can resume, in milliseconds. Default 120 s. */
  resumeGraceMs?: number
  /** A connection that can resume is dead after so many milliseconds without any answer. Default 30 s. */
  resumeSilenceMs?: number
  /** YAML or JSON file with what the server adds to its devices. */
  devicesFile?: string
  /** Serves https and wss instead; PEM texts. With `clientCa`, clients must show a certificate that it signed. */
  tls?: TlsOptions
  /** How long ended sessions are kept, in milliseconds. Default: a day. */
  retentionMs?: number
  logger?: Logger
  clock?: Clock
}

/** A running server. */
export interface OrreryServer {
  /** `http://host:port`, or `https` with TLS; devices dial the same with `ws://` and `/ws`. */
  url: string
  port: number
  /** Ends live sessions, connections and the log, in this order. */
  stop(): Promise<void>
  /** Hears every event of every session. @returns stops listening */
  onSessionEvent(listener: EventListener): () => void
}

const DAY = 24 * 60 * 60 * 1000
/** How often ended sessions are pruned, in milliseconds. */
const PRUNE_INTERVAL = 10 * 60 * 1000
/** Sessions that are pruned at once, and the pause until the next of them, in milliseconds: the server answers in between. */
const PRUNE_AT_ONCE = 200
const PRUNE_PAUSE = 50
/** Size of the event log above which the oldest ended sessions go, in bytes. */
const MAX_LOG_BYTES = 2 * 1024 ** 3

/**
 * Starts a server.
 * @throws the error of the socket, e.g. with code `EADDRINUSE`; an error of the log if its file cannot be opened
 */
export async function startServer(options: ServerOptions): Promise<OrreryServer> {
  const { host = '127.0.0.1', port = 5000, logger = silentLogger, clock = systemClock } = options
  const path = options.dataDir === undefined ? ':memory:' : join(options.dataDir, 'events.db')
  const store = new LogSessionStore(path, { durability: options.durability ?? 'normal' })
  const overlays = DeviceOverlays.load(options.devicesFile)
  const tokens = new ResumeTokens(options.dataDir === undefined ? ':memory:' : join(options.dataDir, 'clients.db'))
  const clients = new ClientConnectionManager()
  const hub = new EventHub()
  const peers = new ConnectedPeers(clients, overlays, logger)
  const sessions = new SessionManager(
    { store, hub, peers, clock, logger, platform: options.platform, resumeGraceMs: options.resumeGraceMs },
    [
      ...(options.agents ?? []),
      ...(options.model === undefined ? [] : [modelAgent(options.model, clock)]),
      followerAgent,
      commandsAgent,
    ],
  )
  const workflows = new WorkflowLibrary(options.dataDir === undefined ? null : join(options.dataDir, 'workflows'), logger)
  const asks = new Asks({ sessions, peers, hub, clock, logger })
  const keys = new Keys(options)
  const handler = new UFOWebSocketHandler({
    clientManager: clients,
    sessionManager: sessions,
    workflows,
    logger,
    clock,
    dialect: options.dialect ?? 'auto',
    rules: options,
    overlays,
    tokens,
    asks,
    heartbeatTimeoutMs: options.heartbeatTimeoutMs,
    resumeSilenceMs: options.resumeSilenceMs,
  })
  const waiting = new WaitingTransfers((deviceId) => clients.getClientInfo(deviceId)?.transferKey ?? null)
  const upgrade = new WebSocketUpgrade({
    keys,
    clock,
    transfers: waiting,
    accept: (transport, credential, registered) => handler.handler(transport, credential, registered),
    closing: () => sessions.drained,
  })
  const devices = new DeviceDirectory(clients, sessions)
  const files = new DeviceFiles(devices, clients, { sessions, waiting, clock, logger })
  const archive = new SessionArchive(store, sessions)
  const app = await createApp(
    { keys, clients, devices, files, sessions, archive, asks, hub, workflows, clock, logger },
    options.tls,
  )
  upgrade.attach(app.server)
  try {
    await sessions.restore()
    await app.listen({ host, port })
  } catch (error) {
    await app.close()
    await tokens.close()
    await store.close()
    throw error
  }
  const prune = pruneRegularly(store, tokens, clock, options.retentionMs ?? DAY, logger)
  const address = app.server.address()
  const bound = typeof address === 'object' && address !== null ? address.port : port
  return {
    url: `${options.tls === undefined ? 'http' : 'https'}://${host.includes(':') ? `[${host}]` : host}:${bound}`,
    port: bound,
    onSessionEvent: (listener) => hub.subscribeAll(listener),
    async stop() {
      prune.stop()
      await sessions.stop(options.dataDir !== undefined)
      await upgrade.close()
      await app.close()
      await tokens.close()
      await store.close()
    },
  }
}

function pruneRegularly(
  store: SessionStore,
  tokens: ResumeTokens,
  clock: Clock,
  maxAgeMs: number,
  logger: Logger,
): { stop(): void } {
  const prune = (): void => {
    let pruned = 0
    try {
      tokens.prune()
      pruned = store.prune({ maxAgeMs, maxBytes: MAX_LOG_BYTES, maxStreams: PRUNE_AT_ONCE })
      if (pruned > 0) logger.info(`Pruned ${pruned} ended session(s) from the event log`)
    } catch (error) {
      // A full disk has no room for that either.
      logger.warn(`Ended sessions could not be pruned: ${messageOf(error)}`)
    }
    timer = clock.after(pruned === PRUNE_AT_ONCE ? PRUNE_PAUSE : PRUNE_INTERVAL, prune)
  }
  let timer = clock.after(PRUNE_INTERVAL, prune)
  return { stop: () => timer.cancel() }
}
