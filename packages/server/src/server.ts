import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { silentLogger, systemClock, type Clock, type Dialect, type Logger } from '@orrery/aip'
import { SharedBudget } from '@orrery/aip/node'
import type { Agent } from './agents/agent.js'
import { commandsAgent } from './agents/commands-agent.js'
import { modelAgent } from './agents/model/model-agent.js'
import { modelKeys } from './agents/model/model-settings.js'
import type { ModelSettings } from './agents/model/model-settings.js'
import { followerAgentAs } from './agents/workflow/workflow-agent.js'
import { WorkflowLibrary } from './agents/workflow/workflow-library.js'
import { ClientConnectionManager } from './clients/client-connection-manager.js'
import { KnownDevices } from './clients/known-devices.js'
import { ResumeTokens } from './clients/resume-tokens.js'
import { DeviceOverlays } from './config/device-overlays.js'
import { SecretSources, type SecretSource } from './config/secret-sources.js'
import { clientAddresses } from './connection/client-address.js'
import { ConnectedPeers } from './connection/connected-peers.js'
import type { RegistrationRules } from './connection/registration-rules.js'
import { UFOWebSocketHandler } from './connection/ufo-websocket-handler.js'
import { openFiles } from './connection/open-files.js'
import { Strangers } from './connection/strangers.js'
import { serveTerminal } from './connection/terminal-socket.js'
import { DeviceTerminals } from './terminals/device-terminals.js'
import { WebSocketUpgrade } from './connection/upgrade.js'
import { copyFile } from './files/copy-file.js'
import { DeviceFiles } from './files/device-files.js'
import { WaitingTransfers } from './files/waiting-transfers.js'
import { createFleet } from './fleet/create-fleet.js'
import { createApp, type TlsOptions } from './http/app.js'
import { KeyGuesses } from './identity/key-guesses.js'
import { Keys } from './identity/keys.js'
import { Secrets } from './identity/secrets.js'
import { pruneRegularly } from './prune-regularly.js'
import { Asks } from './sessions/asks.js'
import { DeviceToolLists } from './sessions/device-tool-lists.js'
import { ModelAllowance } from './sessions/model-allowance.js'
import { SessionManager } from './sessions/session-manager.js'
import type { EventListener } from './store/feed.js'
import { MemoryFeed } from './store/memory-feed.js'
import { SqliteClientStore } from './store/sqlite-client-store.js'
import { SqliteSessionStore } from './store/sqlite-session-store.js'
import { SERVER_LIMITS } from './limits.js'

/** Settings of a server. */
export interface ServerOptions extends RegistrationRules {
  /** Default: loopback only. */
  host?: string
  /** Default 5000; 0 picks a free one. */
  port?: number
  /** Allows everything. */
  operatorKey: string
  /** Allows to be a device. */
  deviceKey: string
  /** Folder of the event log; without one, nothing outlives the process. */
  dataDir?: string
  /** `full` also survives power loss. Default `normal`. */
  durability?: 'normal' | 'full'
  /** Overrides the platform that devices register with. */
  platform?: string
  /** The dialect of messages; `auto` follows each client. Default `auto`. */
  dialect?: Dialect | 'auto'
  /** Tried before the built-in agents. */
  agents?: readonly Agent[]
  /** The agent name of the commands of workflows that set none, such as `FollowerAgent`. Default: that of the device's platform. */
  workflowAgent?: string
  /** The model for requests in words, as `resolveModel` returns it. Default: none. */
  model?: ModelSettings | undefined
  /** Messages of one client a second, besides those that the server waits for. Default 200. */
  messageRate?: number
  /** Milliseconds of silence after which a client is dropped. Default: never. */
  heartbeatTimeoutMs?: number
  /** With `off`, no session waits for a client that has dropped. Default `on`. */
  resume?: 'on' | 'off'
  /** How long sessions wait for a device that can resume, in milliseconds. Default 120 s. */
  resumeGraceMs?: number
  /** Milliseconds without an answer after which a connection that can resume counts as dead. Default 30 s. */
  resumeSilenceMs?: number
  /** YAML or JSON file with what the server adds to its devices. */
  devicesFile?: string
  /** Address under which browsers reach the server, if a proxy is before it. */
  publicUrl?: string
  /** Origins of web pages, such as `https://app.example.org`, that may use the HTTP API from a browser. Default: none. */
  corsOrigins?: readonly string[]
  /** Addresses or networks of proxies whose `X-Forwarded-For` counts. Default: none. */
  trustedProxies?: readonly string[]
  /** Serves https and wss instead; PEM texts. With `clientCa`, clients must present a certificate that it signed. */
  tls?: TlsOptions
  /** Tasks that use the model, for each device and day, which the device itself may ask for. Default 0. */
  devicesMayAsk?: number
  /** Path of the npm package for devices, which `GET /orrery-device.tgz` returns. Default: there is none. */
  devicePackage?: string | undefined
  /** How long ended sessions are kept, in milliseconds. Default: a day. */
  retentionMs?: number
  /** Where secrets of workflows are, by name; variables `ORRERY_SECRET_NAME` of the process are secrets too. */
  secrets?: Readonly<Record<string, SecretSource>>
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
  /** Listens to every event of every session. @returns stops listening */
  onSessionEvent(listener: EventListener): () => void
}

/**
 * Starts a server.
 * @throws the error of the socket, e.g. with code `EADDRINUSE`; an error of the log if its file cannot be opened
 */
export async function startServer(options: ServerOptions): Promise<OrreryServer> {
  const { host = '127.0.0.1', port = 5000, logger = silentLogger, clock = systemClock } = options
  const fileOf = (name: string): string => (options.dataDir === undefined ? ':memory:' : join(options.dataDir, name))
  const store = new SqliteSessionStore(fileOf('events.db'), { durability: options.durability ?? 'normal', clock })
  const clientStore = new SqliteClientStore(fileOf('clients.db'))
  const feed = new MemoryFeed()
  const overlays = DeviceOverlays.load(options.devicesFile)
  const known = new KnownDevices({ store: clientStore, feed, clock, logger })
  const clients = new ClientConnectionManager(known)
  const peers = new ConnectedPeers(clients, overlays, logger)
  const secrets = new Secrets([
    options.operatorKey,
    options.deviceKey,
    ...overlays.keys(),
    ...(options.model === undefined ? [] : modelKeys(options.model)),
  ])
  const agents = [
    ...(options.agents ?? []),
    ...(options.model === undefined ? [] : [modelAgent(options.model, secrets, clock)]),
    followerAgentAs(options.workflowAgent),
    commandsAgent,
  ]
  const { platform, resumeGraceMs } = options
  const secretSources = new SecretSources(options.secrets, process.env)
  const folder = options.dataDir === undefined ? null : await workflowsFolder(options.dataDir)
  const toolLists = new DeviceToolLists({ peers, clock, platform, listed: (id, tools) => known.listed(id, tools) })
  const sessions = new SessionManager({
    store,
    feed,
    peers,
    toolLists,
    secrets: secretSources,
    copier: { copy: (request) => copyFile(files, clients, request) },
    agents,
    clock,
    logger,
    platform,
    resumeGraceMs,
  })
  const waiting = new WaitingTransfers((deviceId) => clients.getClientInfo(deviceId)?.transferKey ?? null)
  const files = new DeviceFiles(clients, { sessions, waiting, clock, logger })
  const tokens = new ResumeTokens(clientStore, clock)
  const asks = new Asks({ live: sessions.live, peers, feed, clock, logger })
  const fleet = createFleet({
    clients,
    known,
    tokens,
    toolLists,
    sessions,
    store,
    feed,
    asks,
    files,
    terminals: new DeviceTerminals(clients, { waiting, clock, logger }),
    workflows: new WorkflowLibrary(folder, secretSources, logger),
    allowance: new ModelAllowance({ agents, clock, perDay: options.devicesMayAsk ?? 0 }),
    devicePackage: options.devicePackage,
  })
  const keys = new Keys(options)
  const budget = new SharedBudget(SERVER_LIMITS.unsentInAll)
  const guesses = new KeyGuesses(clock, logger)
  const addressOf = clientAddresses(options.trustedProxies)
  const handler = new UFOWebSocketHandler({
    clientManager: clients,
    sessionManager: sessions,
    fleet,
    logger,
    clock,
    dialect: options.dialect,
    resume: options.resume,
    rules: options,
    overlays,
    tokens,
    asks,
    messageRate: options.messageRate,
    heartbeatTimeoutMs: options.heartbeatTimeoutMs,
    resumeSilenceMs: options.resumeSilenceMs,
  })
  const connections = Math.min(SERVER_LIMITS.connections, Math.max(openFiles() - SERVER_LIMITS.reservedFiles, openFiles() / 2))
  const app = await createApp({
    fleet,
    keys,
    guesses,
    addressOf,
    budget,
    clock,
    logger,
    tls: options.tls,
    corsOrigins: options.corsOrigins ?? [],
    known: (socket) => strangers.isKnown(socket),
  })
  app.server.maxConnections = connections
  const strangers = new Strangers(app.server, Math.min(SERVER_LIMITS.strangers, Math.ceil(connections / 4)))
  const upgrade = new WebSocketUpgrade({
    keys,
    guesses,
    strangers,
    addressOf,
    publicUrl: options.publicUrl,
    budget,
    clock,
    transfers: waiting,
    terminal: (transport, principal, deviceId) => serveTerminal(transport, principal, deviceId, { fleet, clock, logger }),
    accept: (transport, principal, registered) => handler.handler(transport, principal, registered),
    closing: () => sessions.state === 'drained',
  })
  upgrade.attach(app.server)
  try {
    await known.load()
    await sessions.restore()
    await app.listen({ host, port })
  } catch (error) {
    await app.close()
    await clientStore.close()
    await store.close()
    throw error
  }
  const prune = pruneRegularly({ store, clock, logger, maxAgeMs: options.retentionMs ?? SERVER_LIMITS.retention })
  const address = app.server.address()
  const bound = typeof address === 'object' && address !== null ? address.port : port
  return {
    url: `${options.tls === undefined ? 'http' : 'https'}://${host.includes(':') ? `[${host}]` : host}:${bound}`,
    port: bound,
    onSessionEvent: (listener) => feed.onEvent(listener),
    async stop() {
      prune.stop()
      await sessions.stop(options.dataDir !== undefined)
      await upgrade.close()
      await handler.close()
      await app.close()
      known.close()
      await clientStore.close()
      await store.close()
    },
  }
}

/** Returns the folder of the user's own workflows, made if it is missing. */
async function workflowsFolder(dataDir: string): Promise<string> {
  const folder = join(dataDir, 'workflows')
  // Without the folder there are just no workflows of one's own.
  await mkdir(folder, { mode: 0o700 }).catch(() => {})
  return folder
}
