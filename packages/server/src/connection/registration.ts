import {
  isAipError,
  AipError,
  LIMITS,
  PINGS_PER_SILENCE,
  RegistrationProtocol,
  TaskExecutionProtocol,
  logError,
  offerIn,
  type AIPProtocol,
  type AgreementFields,
  type ClientMessage,
  type ClientType,
  type Feature,
  type Logger,
  type Offer,
} from '@orrery/aip'
import type { ClientConnectionManager, ClientInfo } from '../clients/client-connection-manager.js'
import type { KnownDevices } from '../clients/known-devices.js'
import type { ResumeTokens } from '../clients/resume-tokens.js'
import type { DeviceOverlays } from '../config/device-overlays.js'
import { clientPrincipal, type Principal } from '../identity/principal.js'
import { WaitingTransfers } from '../files/waiting-transfers.js'
import type { Resumption } from './resumption.js'
import { checkAdmission, checkClientId, type RegistrationRules } from './registration-rules.js'
import { serverError } from '../errors.js'

/** Shared by the many connections without features. */
const NO_FEATURES: ReadonlySet<Feature> = new Set()

/** What a {@link Registration} works on. */
export interface RegistrationOptions {
  clients: ClientConnectionManager
  known: KnownDevices
  logger: Logger
  rules: RegistrationRules
  overlays: DeviceOverlays
  tokens: ResumeTokens
  resumption: Resumption
  /** Milliseconds without an answer after which a connection that can resume counts as dead. */
  silenceMs: number
  /** Cleans up after a client that was added, but whose confirmation could not be sent. */
  lost: (client: ClientInfo) => void
  /** The optional features that this server has. */
  features: ReadonlySet<Feature>
}

/** Waits for the registration, checks it, and adds the client. Used once per connection. */
export class Registration {
  readonly #rules: RegistrationRules
  readonly #overlays: DeviceOverlays
  readonly #tokens: ResumeTokens
  readonly #resumption: Resumption
  readonly #silenceMs: number
  readonly #lost: (client: ClientInfo) => void
  readonly #features: ReadonlySet<Feature>
  readonly #aip: AIPProtocol<'server'>
  readonly #clients: ClientConnectionManager
  readonly #known: KnownDevices
  readonly #logger: Logger
  readonly #protocol: RegistrationProtocol
  /** What the client offers; null before its registration, and for existing peers. */
  #offer: Offer | null = null

  constructor(
    aip: AIPProtocol<'server'>,
    { clients, known, logger, rules, overlays, tokens, silenceMs, features, resumption, lost }: RegistrationOptions,
  ) {
    this.#lost = lost
    this.#aip = aip
    this.#rules = rules
    this.#overlays = overlays
    this.#tokens = tokens
    this.#resumption = resumption
    this.#silenceMs = silenceMs
    this.#features = features
    this.#clients = clients
    this.#known = known
    this.#logger = logger
    this.#protocol = new RegistrationProtocol(aip)
  }

  /**
   * Registers the client of this connection and confirms it. A refused client gets the reason, and its connection is closed.
   * @returns the client, or null if it was refused
   */
  async accept(shown: Principal): Promise<ClientInfo | null> {
    let client: ClientInfo | null = null
    try {
      client = await this.#check(await this.#firstMessage(), shown)
      checkAdmission(client, this.#rules, this.#clients)
      await this.#makeRoom(client)
      await this.#enter(client)
      return client
    } catch (error) {
      // A client that left before its confirmation has already been added, and its sessions may count on it.
      if (client !== null && this.#clients.getClientInfo(client.clientId)?.transport === client.transport) this.#lost(client)
      await this.#refuse(error)
      return null
    }
  }

  /**
   * Closes an old connection of the same id: at once for the client that presents its token, otherwise if it does not respond.
   * If it responds, the id stays taken, unless the settings say that the newest wins.
   */
  async #makeRoom(client: ClientInfo): Promise<void> {
    const { clientId } = client
    // A registration whose connection was lost still holds the id until it fails.
    await this.#clients.settled(clientId)
    const matches = await this.#admit(client)
    const old = this.#clients.getClientInfo(clientId)
    if (old === undefined) return
    const { clock } = this.#aip
    if (matches) return this.#clients.replace(clientId, clock, true)
    if (this.#rules.takeover === 'replace') return this.#clients.replace(clientId, clock, false)
    if (!(await old.transport.isAlive(LIMITS.probeTime))) await this.#clients.replace(clientId, clock, true)
  }

  /**
   * Checks the token of a client. The id of a device belongs to the holder of its token; that of a constellation only while a session of its
   * is live.
   * @returns whether it presents a valid one
   * @throws AipError `TOKEN_REQUIRED`
   */
  async #admit(client: ClientInfo): Promise<boolean> {
    const { clientId, clientType } = client
    const { known, matches, since } = await this.#tokens.check(client, this.#offer?.resume_token ?? null)
    if (known && !matches && (clientType === 'device' || this.#resumption.isAwaited(clientId))) {
      const way =
        clientType === 'device' ? `'orrery devices forget ${clientId}' frees it` : 'its tasks have not ended, try again later'
      throw serverError('TOKEN_REQUIRED', { id: clientId, role: clientType, way })
    }
    client.endsSince = known && !matches ? Infinity : since
    return matches
  }

  async #firstMessage(): Promise<ClientMessage> {
    this.#logger.info('[WS] [AIP] Waiting for registration message...')
    const late = Promise.withResolvers<never>()
    const timer = this.#aip.clock.after(LIMITS.registrationTime, () =>
      late.reject(serverError('REGISTRATION_TIMEOUT', { seconds: LIMITS.registrationTime / 1000 })),
    )
    try {
      return await Promise.race([this.#aip.receiveMessage(), late.promise])
    } finally {
      timer.cancel()
    }
  }

  async #check(message: ClientMessage, shown: Principal): Promise<ClientInfo> {
    const { client_type: clientType, metadata } = message
    const targetId = message.target_id || null
    if (message.type !== 'register') throw serverError('REGISTRATION_EXPECTED')
    const clientId = checkClientId(message.client_id, clientType, this.#rules)
    this.#logger.info(`[WS] [AIP] Received registration from ${clientId}, type=${clientType}`)
    if (!shown.registers.includes(clientType)) throw serverError('ROLE_NOT_ALLOWED', { role: clientType })
    if (clientType === 'constellation' && targetId !== null) this.#checkTarget(targetId)
    const offer = offerIn(metadata)
    this.#offer = offer
    this.#aip.maxFrame = Math.min(offer?.max_frame ?? LIMITS.frame, LIMITS.frame)
    const features = commonFeatures(offer, this.#features)
    // A client that can return loses nothing when it is cut off, but it would come back for as much again.
    this.#aip.transport.setMaxUnsent(features.has('resume') ? LIMITS.unsentData : LIMITS.unsentDataOfOthers)
    return {
      clientId,
      clientType,
      principal: clientPrincipal(clientType, clientId, features.has('resume')),
      platform: typeof metadata?.['platform'] === 'string' ? metadata['platform'] : 'windows',
      metadata,
      mcpServers: null,
      systemInfo: clientType === 'device' ? this.#overlays.describe(clientId, systemInfoOf(metadata)) : null,
      features,
      connectedAt: this.#aip.clock.now(),
      transport: this.#aip.transport,
      taskProtocol: new TaskExecutionProtocol(this.#aip),
      unacknowledged: new Set(),
      endsSince: 0,
      scope: clientType === 'constellation' ? targetId : null,
      transferKey:
        clientType === 'device' && (features.has('files') || features.has('terminal')) ? WaitingTransfers.newKey() : null,
    }
  }

  #checkTarget(targetId: string): void {
    if (this.#clients.isDeviceConnected(targetId)) return
    const error = serverError('TARGET_NOT_CONNECTED', { id: targetId })
    this.#logger.warn(`[WS] Constellation registration failed: ${error.message}`)
    throw error
  }

  /**
   * Adds the client and confirms it in one turn, so that the confirmation is the first message that it gets. Its id is
   * reserved meanwhile.
   */
  async #enter(client: ClientInfo): Promise<void> {
    const { clientId, clientType, features } = client
    const release = this.#clients.hold(clientId)
    let result: { aip: AgreementFields } | null
    let written = (): Promise<void> => Promise.resolve()
    try {
      const token = features.has('resume') ? await this.#tokens.issue(client, this.#offer?.resume_token ?? null) : null
      if (token !== null) ({ written } = token)
      result = this.#offer === null ? null : { aip: await this.#negotiate(client, token?.token) }
    } finally {
      release()
    }
    // If it heard that no session continues, a device would stop working for a session that the next start of the server continues.
    if (this.#resumption.isOver) throw serverError('SERVER_STOPPING')
    this.#clients.addClient(client)
    if (clientType === 'device') this.#known.seen({ ...client, features: [...features] })
    this.#logger.info('[WS] [AIP] Sending registration confirmation...')
    await this.#protocol.sendRegistrationConfirmation(result)
    await written().catch((error: unknown) => logError(this.#logger, `The token of ${clientId} cannot be recorded`, error))
    this.#logger.info('[WS] [AIP] Registration confirmation sent')
    this.#logger.info(registeredLine(clientId, clientType))
  }

  /** Negotiates the features. Existing peers offer none and get the null that they expect. */
  async #negotiate(client: ClientInfo, resumeToken: string | undefined): Promise<AgreementFields> {
    const { features, transport, transferKey } = client
    const key = transferKey === null ? {} : { transfer_key: transferKey }
    const answer: AgreementFields = { version: 1, features: [...features], heartbeat_ms: this.#silenceMs, ...key }
    if (resumeToken === undefined) return answer
    transport.setKeepAlive(this.#silenceMs / PINGS_PER_SILENCE, this.#silenceMs)
    return { ...answer, ...(await this.#resumption.continuing(client)), resume_token: resumeToken }
  }

  async #refuse(error: unknown): Promise<void> {
    const known = error instanceof AipError
    if (isAipError(error, 'CONNECTION_CLOSED')) return
    if (known) this.#logger.warn(`[WS] Registration refused: ${error.message}`)
    else logError(this.#logger, '[WS] Registration failed', error)
    const text = known ? error.message : serverError('INTERNAL').message
    await this.#protocol.sendRegistrationError(text).catch(() => {})
    this.#aip.transport.refuse(known ? closeCode(error) : 1011, '')
  }
}

/** Returns the close code: 1000 where existing peers expect it (protocol reference, chapter 7), else a policy violation. */
function closeCode({ code }: AipError): number {
  return code === 'DUPLICATE_CLIENT' || code === 'TARGET_NOT_CONNECTED' ? 1000 : 1008
}

function registeredLine(clientId: string, clientType: ClientType): string {
  return clientType === 'device'
    ? `[WS] Registered device client: ${clientId}`
    : `[WS] 🌟 Registered constellation client: ${clientId}`
}

/** Keys of the metadata of a registration that do not describe the device. */
const NO_DESCRIPTION: ReadonlySet<string> = new Set(['system_info', 'platform', 'registration_time', 'aip'])

/** Returns what a device tells about itself: its `system_info`, or, as in the sample of seed 004, the rest of its metadata. */
function systemInfoOf(metadata: Record<string, unknown> | null): Record<string, unknown> | null {
  const info = metadata?.['system_info']
  if (isObject(info)) return info
  const rest = Object.entries(metadata ?? {}).filter(([key]) => !NO_DESCRIPTION.has(key))
  return rest.length === 0 ? null : Object.fromEntries(rest)
}

/** The features that both sides have. */
function commonFeatures(offer: Offer | null, own: ReadonlySet<Feature>): ReadonlySet<Feature> {
  if (offer === null || offer.features.length === 0) return NO_FEATURES
  return new Set(offer.features.filter((name) => own.has(name)))
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
