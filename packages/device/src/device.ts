import { AipError, CLIENT_ID, aipError, silentLogger, systemClock, type Clock, type Logger } from '@orrery/aip'
import { DeviceTerminals } from './terminals/device-terminals.js'
import type { ServerTrust } from '@orrery/aip/node'
import { TransferDialer } from './transfers/transfer-dialer.js'
import { UFOWebSocketClient, type ConnectionEnd } from './client/ufo-websocket-client.js'
import { ComputerManager } from './computer/computer-manager.js'
import { UFOClient } from './computer/ufo-client.js'
import { capabilitiesOf } from './capabilities.js'
import { addRule } from './config/add-rule.js'
import { ConfigWatcher, type ConfigFile } from './config/config-watcher.js'
import { DEFAULT_DEVICE_CONFIG, restartKeysIn, type DeviceConfig } from './config/device-config.js'
import type { LocalServerFactory } from './mcp/local-connector.js'
import { collectDetails } from './info/device-details.js'
import { CommandJournal } from './journal/command-journal.js'
import { serverAddress } from './journal/server-address.js'
import { AuditLog, type AuditEntry } from './audit/audit-log.js'
import { MCPServerManager } from './mcp/mcp-server-manager.js'
import { Approvals, type TerminalApprover } from './policy/approvals.js'
import { Gate } from './policy/gate.js'
import type { Approver } from './policy/policy-config.js'
import { Permits } from './policy/permits.js'
import { Policy } from './policy/policy.js'
import { Roots } from './policy/roots.js'
import { BUILT_IN_TOOLS } from './tools/built-in-servers.js'
import type { Environment } from './process/child-environment.js'

/** What {@link startDevice} takes. */
export interface DeviceOptions {
  /** `ws://` or `wss://`, e.g. `ws://localhost:5000/ws`. */
  serverUrl: string
  /** What the journal calls the server, for one whose address may change. Default: its address. */
  serverName?: string | undefined
  /** The device key. It is sent in a header, and as `?token=` only to a server that refuses that, as existing servers do. */
  token?: string | undefined
  /** Which certificate of the server counts, with `wss://`. Default: one that Node trusts. */
  trust?: ServerTrust | undefined
  /** 1 to 128 letters, digits or `_ . @ : -`. */
  clientId: string
  /** Default: the operating system. */
  platform?: string | undefined
  /** Default: no file, built-in tools on, strict shell. */
  config?: DeviceConfig
  /** Where `config` comes from: its changes are applied while the device runs. Default: nothing is watched. */
  configFile?: ConfigFile | undefined
  /** Attempts in a row that may fail. Default 3. */
  maxRetries?: number | undefined
  /** Seconds between two heartbeats. Default: the configuration's, else 120. */
  heartbeatS?: number | undefined
  logger?: Logger
  clock?: Clock
  /** File of the journal, with which sessions survive lost connections and restarts. Default: none is kept. */
  journalPath?: string | undefined
  /** Keep trying to reach a server that resumes sessions, whatever `maxRetries` says. Default false. */
  persistent?: boolean | undefined
  /** Called when the server cannot be reached or the connection has ended, with the reason; the device tries again. */
  onFailed?: ((error: unknown) => void) | undefined
  /** Called with what happens on the device, for its owner to see. */
  onEvent?: ((event: DeviceEvent) => void) | undefined
  /** A task that the device asks for after its first registration. */
  request?: string | undefined
  /** The name of that task; default: a fresh UUID. */
  taskName?: string | undefined
  /** Where the harmless variables of child processes come from. Default: the environment of this process. */
  env?: Environment
  /** The folder in which commands and MCP servers run unless they name another. Default: the current one. */
  cwd?: string
  /** Folders with keys, configuration or journals of this device: no tool that works with files may look into them. */
  closedFolders?: readonly string[] | undefined
  /** A folder for what tools keep aside while they run, such as long outputs. Default: that of the system for temporary files. */
  dataDir?: string | undefined
  /** File of the audit: what ran, and what decided about it. Default: none is kept. */
  auditPath?: string | undefined
  /** Asks at the device's terminal, where the policy says so. Default: there is no terminal. */
  approver?: TerminalApprover | undefined
  /** MCP servers inside this process, by name; each factory makes an `McpServer` of `@modelcontextprotocol/server`. */
  localServers?: Readonly<Record<string, LocalServerFactory>>
}

/** What happens on a device: it is registered, also again; it has taken a changed configuration; it was asked to run a tool. */
export type DeviceEvent =
  | { type: 'connected' }
  | { type: 'configured'; config: DeviceConfig }
  | { type: 'called'; call: AuditEntry }

/** A running device. */
export interface DeviceHandle {
  client: UFOWebSocketClient
  /** Settles at the first registration; rejects with AipError `REGISTRATION_FAILED` if the device ends before. */
  registered: Promise<void>
  /** Settles when the device has ended by itself or was stopped; never rejects. Its MCP servers have ended then too. */
  done: Promise<ConnectionEnd>
  /** Closes the connection with 1000 and ends every child process. Settles when both are done. */
  stop(): Promise<void>
}

/**
 * Starts a device: its MCP servers, and the connection to its server.
 * @throws AipError `INVALID_CLIENT_ID`, or `INVALID_INPUT` for a URL that is none
 */
export function startDevice(options: DeviceOptions): DeviceHandle {
  const { clientId, config = DEFAULT_DEVICE_CONFIG, logger = silentLogger, clock = systemClock } = options
  if (!CLIENT_ID.test(clientId)) throw aipError('INVALID_CLIENT_ID')
  const wsUrl = withToken(options.serverUrl, options.token)
  const { env = process.env, cwd = process.cwd() } = options
  const roots = new Roots({ ...foldersOf(config, options), cwd })
  const permits = new Permits()
  const approvals = new Approvals({ ...approversOf(config), terminal: options.approver, clock, logger })
  const audit = openAudit(options.auditPath, config, logger)
  const policyOf = ({ policy, shell }: DeviceConfig): Policy =>
    new Policy({ config: policy, shell, roots, cwd, env, builtIn: BUILT_IN_TOOLS })
  const ruleFile = options.configFile
  let current = config
  const gate = new Gate({
    policy: policyOf(config),
    approvals,
    permits,
    deviceName: clientId,
    audit,
    auditContents: config.audit.contents,
    rules: ruleFile && {
      file: ruleFile.path,
      add: (rule) => addRule(ruleFile.path, rule, current.policy.rules, env),
    },
    onCall: (call) => options.onEvent?.({ type: 'called', call }),
    clock,
  })
  const transfers = new TransferDialer({ wsUrl, trust: options.trust, clock, logger })
  const servers = new MCPServerManager({
    config,
    clock,
    logger,
    env,
    cwd,
    roots,
    permits,
    dataDir: options.dataDir,
    transfers,
    ...(options.localServers === undefined ? {} : { localServers: options.localServers }),
  })
  const ufoClient = new UFOClient({
    mcpServerManager: servers,
    computerManager: new ComputerManager(config, servers, { clock, gate }),
    clientId,
    logger,
    ...(options.platform === undefined ? {} : { platform: options.platform }),
  })
  const journal = openJournal(options, wsUrl, clock)
  const heartbeatS = options.heartbeatS ?? config.heartbeat_s
  const registered = Promise.withResolvers<void>()
  registered.promise.catch(() => {})
  let request = options.request
  const client = new UFOWebSocketClient({
    wsUrl,
    trust: options.trust,
    ufoClient,
    clock,
    logger,
    persistent: options.persistent ?? false,
    details: () => collectDetails(capabilitiesOf(current, env)),
    approvals,
    ...(config.tools.files || config.tools.shell ? { transfers } : {}),
    files: config.tools.files,
    terminals: config.tools.shell
      ? new DeviceTerminals({
          gate,
          transfers,
          context: () => (current.tools.shell ? { shell: current.shell, roots, permits, env } : null),
          clock,
          logger,
        })
      : undefined,
    onFailed: options.onFailed,
    ...(journal === null ? {} : { journal }),
    resume: config.resume !== 'off',
    ...(config.reconnect_s === undefined ? {} : { longestWaitS: config.reconnect_s }),
    ...(options.maxRetries === undefined ? {} : { maxRetries: options.maxRetries }),
    ...(heartbeatS === undefined ? {} : { timeout: heartbeatS }),
    ...(config.max_frame === undefined ? {} : { maxFrame: config.max_frame }),
    onRegistered: () => {
      registered.resolve()
      options.onEvent?.({ type: 'connected' })
      if (request !== undefined) void client.startTask(request, options.taskName)
      request = undefined
    },
  })
  servers.createServersFromConfig()
  const takeUp = (next: DeviceConfig): void => {
    servers.update(next, ufoClient.commandRouter.quiet())
    ufoClient.computerManager.update(next)
    roots.update(foldersOf(next, options))
    approvals.update(approversOf(next))
    gate.update({ policy: policyOf(next) })
    for (const key of restartKeysIn(current, next))
      logger.warn(`[Config] '${key}' has changed: that counts from the next start on`)
    current = next
    options.onEvent?.({ type: 'configured', config: next })
  }
  const parts = (): string[] => (current.mcpYaml === undefined ? [] : [current.mcpYaml])
  const { configFile: file } = options
  const watcher = file && new ConfigWatcher({ file, parts, onConfig: takeUp, clock, logger })
  const done = run(client, servers, journal, audit, watcher).finally(() =>
    registered.reject(new AipError('REGISTRATION_FAILED', 'The device has ended')),
  )
  return {
    client,
    registered: registered.promise,
    done,
    async stop() {
      await client.stop()
      await done
    },
  }
}

async function run(
  client: UFOWebSocketClient,
  servers: MCPServerManager,
  journal: CommandJournal | null,
  audit: AuditLog | null,
  watcher: ConfigWatcher | undefined,
): Promise<ConnectionEnd> {
  try {
    return await client.connectAndListen()
  } finally {
    await watcher?.close()
    // Work that still waits for the lock, such as a reset, must not start a server again.
    await client.ufoClient.taskLock.run(() => servers.stop())
    await journal?.close()
    await audit?.close()
  }
}

/** Where tools may work, and what is closed to them; a tool that could write the configuration could allow itself everything. */
function foldersOf(
  { roots, mcpYaml }: DeviceConfig,
  { closedFolders = [], configFile }: DeviceOptions,
): { folders: readonly string[] | undefined; closed: readonly string[] } {
  const files = [configFile?.path, mcpYaml].filter((path) => path !== undefined)
  return { folders: roots, closed: [...closedFolders, ...files] }
}

function approversOf({ policy }: DeviceConfig): { approvers: readonly Approver[]; timeoutMs: number } {
  return { approvers: policy.approvers, timeoutMs: policy.ask_timeout_s * 1000 }
}

function openJournal({ journalPath: path, serverName }: DeviceOptions, wsUrl: string, clock: Clock): CommandJournal | null {
  return path === undefined
    ? null
    : new CommandJournal({ path, server: serverAddress(wsUrl), serverName, now: () => clock.now() })
}

function openAudit(path: string | undefined, { audit }: DeviceConfig, logger: Logger): AuditLog | null {
  if (path === undefined || !audit.enabled) return null
  return new AuditLog({ path, maxBytes: audit.max_bytes, keep: audit.files, logger })
}

function withToken(serverUrl: string, token: string | undefined): string {
  if (!URL.canParse(serverUrl))
    throw aipError('INVALID_INPUT', { detail: `'${serverUrl.replace(/\?.*$/s, '')}' is not a URL; try ws://localhost:5000/ws` })
  const url = new URL(serverUrl)
  if (token !== undefined) url.searchParams.set('token', token)
  return url.href
}
