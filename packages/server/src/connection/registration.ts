import {
  AipError,
  Feature,
  LIMITS,
  RegistrationProtocol,
  TaskExecutionProtocol,
  aipError,
  messageOf,
  type AIPProtocol,
  type ClientMessage,
  type ClientType,
  type Logger,
} from '@orrery/aip'
import type { ClientConnectionManager, ClientInfo } from '../clients/client-connection-manager.js'
import type { DeviceOverlays } from '../config/device-overlays.js'
import { checkAdmission, checkClientId, type RegistrationRules } from './registration-rules.js'

/** What a key allows: everything, or to be a device. */
export type Credential = 'operator' | 'device'

/** The optional behaviours that this server has. */
const SERVER_FEATURES: ReadonlySet<Feature> = new Set<Feature>(['cancel', 'progress'])

/** Waits for the registration, checks it, and puts the client on the list. Used once per connection. */
export class Registration {
  readonly #rules: RegistrationRules
  readonly #overlays: DeviceOverlays
  readonly #aip: AIPProtocol<'server'>
  readonly #clients: ClientConnectionManager
  readonly #logger: Logger
  readonly #protocol: RegistrationProtocol

  constructor(
    aip: AIPProtocol<'server'>,
    {
      clients,
      logger,
      rules,
      overlays,
    }: { clients: ClientConnectionManager; logger: Logger; rules: RegistrationRules; overlays: DeviceOverlays },
  ) {
    this.#aip = aip
    this.#rules = rules
    this.#overlays = overlays
    this.#clients = clients
    this.#logger = logger
    this.#protocol = new RegistrationProtocol(aip)
  }

  /**
   * Registers the client of this connection and confirms it. A refused client is told why, and its connection is closed.
   * @returns the client, or null if it was refused
   */
  async accept(credential: Credential): Promise<ClientInfo | null> {
    let client: ClientInfo | null = null
    try {
      client = this.#check(await this.#firstMessage(), credential)
      checkAdmission(client, this.#rules, this.#clients)
      if (this.#rules.takeover === 'replace') await this.#clients.replace(client.clientId, this.#aip.clock)
      this.#clients.addClient(client)
      await this.#confirm(client)
      return client
    } catch (error) {
      // A client that left before its confirmation is on the list already.
      if (client !== null) this.#clients.removeClient(client.clientId, client.transport)
      await this.#refuse(error)
      return null
    }
  }

  async #firstMessage(): Promise<ClientMessage> {
    this.#logger.info('[WS] [AIP] Waiting for registration message...')
    const late = Promise.withResolvers<never>()
    const timer = this.#aip.clock.after(LIMITS.registrationTime, () =>
      late.reject(aipError('REGISTRATION_TIMEOUT', { seconds: LIMITS.registrationTime / 1000 })),
    )
    try {
      return await Promise.race([this.#aip.receiveMessage(), late.promise])
    } finally {
      timer.cancel()
    }
  }

  #check(message: ClientMessage, credential: Credential): ClientInfo {
    const { client_type: clientType, target_id: targetId, metadata } = message
    if (message.type !== 'register') throw aipError('REGISTRATION_EXPECTED')
    const clientId = checkClientId(message.client_id, this.#rules)
    this.#logger.info(`[WS] [AIP] Received registration from ${clientId}, type=${clientType}`)
    if (credential === 'device' && clientType !== 'device') throw aipError('ROLE_NOT_ALLOWED', { role: clientType })
    if (clientType === 'constellation' && targetId !== null) this.#checkTarget(targetId)
    return {
      clientId,
      clientType,
      platform: typeof metadata?.['platform'] === 'string' ? metadata['platform'] : 'windows',
      metadata,
      systemInfo: clientType === 'device' ? this.#overlays.describe(clientId, systemInfoOf(metadata)) : null,
      features: featuresOf(metadata),
      connectedAt: this.#aip.clock.now(),
      transport: this.#aip.transport,
      taskProtocol: new TaskExecutionProtocol(this.#aip),
      scope: clientType === 'constellation' ? targetId : null,
    }
  }

  #checkTarget(targetId: string): void {
    if (this.#clients.isDeviceConnected(targetId)) return
    const error = aipError('TARGET_NOT_CONNECTED', { id: targetId })
    this.#logger.warn(`[WS] Constellation registration failed: ${error.message}`)
    throw error
  }

  async #confirm({ clientId, clientType, features }: ClientInfo): Promise<void> {
    this.#logger.info('[WS] [AIP] Sending registration confirmation...')
    // Existing peers offer no features and get the null that they know.
    await this.#protocol.sendRegistrationConfirmation(
      features.size === 0 ? null : { aip: { version: 1, features: [...features] } },
    )
    this.#logger.info('[WS] [AIP] Registration confirmation sent')
    this.#logger.info(registeredLine(clientId, clientType))
  }

  async #refuse(error: unknown): Promise<void> {
    const known = error instanceof AipError
    if (known && error.code === 'CONNECTION_CLOSED') return
    this.#logger.warn(`[WS] Registration refused: ${messageOf(error)}`)
    const text = known ? error.message : aipError('INTERNAL').message
    await this.#protocol.sendRegistrationError(text).catch(() => {})
    await this.#aip.close(known ? closeCode(error) : 1011)
  }
}

/** 1000 where existing peers know it (protocol reference, chapter 7), else a policy violation. */
function closeCode({ code }: AipError): number {
  return code === 'DUPLICATE_CLIENT' || code === 'TARGET_NOT_CONNECTED' ? 1000 : 1008
}

function registeredLine(clientId: string, clientType: ClientType): string {
  return clientType === 'device'
    ? `[WS] Registered device client: ${clientId}`
    : `[WS] 🌟 Registered constellation client: ${clientId}`
}

function systemInfoOf(metadata: Record<string, unknown> | null): Record<string, unknown> | null {
  const info = metadata?.['system_info']
  return isObject(info) ? info : null
}

/** The features that both sides have. Whatever is not a feature is passed over: newer clients may offer more. */
function featuresOf(metadata: Record<string, unknown> | null): ReadonlySet<Feature> {
  const offer = metadata?.['aip']
  const names = isObject(offer) && Array.isArray(offer['features']) ? offer['features'] : []
  const features = new Set<Feature>()
  for (const name of names) {
    const feature = Feature.safeParse(name)
    if (feature.success && SERVER_FEATURES.has(feature.data)) features.add(feature.data)
  }
  return features
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
