import { wireTime } from '../clock.js'
import { aipError } from '../errors.js'
import { register } from '../messages/to-server.js'
import { registerConfirm, serverError, type ServerMessage } from '../messages/to-client.js'
import type { AnyMessage } from './aip-protocol.js'
import { ProtocolPart } from './aip-protocol.js'

/** The outcome of a registration: the confirmation, or the reason for the refusal. */
export type RegistrationOutcome = { accepted: true; confirmation: ServerMessage } | { accepted: false; reason: string }

/** Registration: who is on the connection. */
export class RegistrationProtocol extends ProtocolPart {
  /**
   * Registers as a device and waits for the answer.
   * @param metadata sent with `platform` and `registration_time` added where they are missing
   * @returns whether the server accepted
   * @throws AipError `CONNECTION_CLOSED` if the connection ends before the answer
   */
  async registerAsDevice(deviceId: string, metadata: Record<string, unknown> = {}, platform?: string): Promise<boolean> {
    return (await this.register({ clientId: deviceId, clientType: 'device', metadata, platform })).accepted
  }

  /** Registers as a constellation, for one device if `targetId` is given. Otherwise like {@link registerAsDevice}. */
  async registerAsConstellation(
    constellationId: string,
    targetId?: string,
    metadata: Record<string, unknown> = {},
  ): Promise<boolean> {
    const described = { type: 'constellation_client', targeted_device_id: targetId ?? null, ...metadata }
    return (await this.register({ clientId: constellationId, clientType: 'constellation', targetId, metadata: described }))
      .accepted
  }

  /** Registers and returns the whole outcome. The answer is the first message of the server, whatever its type (protocol reference 6.1). */
  async register(options: {
    clientId: string
    clientType: 'device' | 'constellation'
    targetId?: string | undefined
    platform?: string | undefined
    metadata?: Record<string, unknown>
  }): Promise<RegistrationOutcome> {
    const now = wireTime(this.aip.clock.now())
    await this.aip.sendMessage(register, {
      client_id: options.clientId,
      client_type: options.clientType,
      target_id: options.targetId ?? null,
      metadata: {
        ...(options.platform === undefined ? {} : { platform: options.platform }),
        registration_time: now,
        ...options.metadata,
      },
    })
    return outcomeOf(await this.aip.receiveMessage())
  }

  /** Confirms a registration. @param result what the confirmation carries, e.g. the negotiated features */
  sendRegistrationConfirmation(result: unknown = null): Promise<void> {
    return this.aip.sendMessage(registerConfirm, { result })
  }

  /** Refuses a registration. */
  sendRegistrationError(text: string): Promise<void> {
    return this.aip.sendMessage(serverError, { error: text })
  }
}

function outcomeOf(message: AnyMessage): RegistrationOutcome {
  if (!('response_id' in message)) throw aipError('UNKNOWN_MESSAGE_TYPE', { type: message.type })
  if (message.status === 'ok') return { accepted: true, confirmation: message }
  return { accepted: false, reason: message.error ?? 'Unknown error' }
}
