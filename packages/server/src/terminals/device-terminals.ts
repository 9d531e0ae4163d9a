import { LIMITS, SilenceWatch, aipError, sleep, type Clock, type Logger, type TerminalWanted, type Transport } from '@orrery/aip'
import type { ClientConnectionManager } from '../clients/client-connection-manager.js'
import { serverError } from '../errors.js'
import type { WaitingTransfers } from '../files/waiting-transfers.js'
import { SERVER_LIMITS } from '../limits.js'

/** What {@link DeviceTerminals} work with. */
export interface DeviceTerminalsPorts {
  waiting: WaitingTransfers
  clock: Clock
  logger: Logger
}

/** An open connection for a terminal. */
export interface DeviceTerminal {
  /** Connects it to its operator. Settles when both connections have ended; never rejects. */
  serve(operator: Transport): Promise<void>
}

/** The interactive terminals of the devices. Bytes pass as fast as the slower end takes them; whatever ends one end ends the other. */
export class DeviceTerminals {
  readonly #clients: ClientConnectionManager
  readonly #ports: DeviceTerminalsPorts
  /** The devices of the open ones. */
  readonly #open = new Set<{ deviceId: string }>()

  constructor(clients: ClientConnectionManager, ports: DeviceTerminalsPorts) {
    this.#clients = clients
    this.#ports = ports
  }

  /**
   * Has a device dial for a terminal. Whether it may open one its policy decides after that, over the connection.
   * @param by who asks, for the owner of the device to see
   * @param signal aborted when the operator has gone
   * @throws AipError `DEVICE_OFFLINE`, `TERMINAL_UNSUPPORTED`, `TOO_MANY_TERMINALS`, `TIMEOUT` or `CLIENT_DISCONNECTED`
   */
  async open(by: string, deviceId: string, wanted: TerminalWanted, signal: AbortSignal): Promise<DeviceTerminal> {
    const { waiting, logger, clock } = this.#ports
    const client = this.#clients.getClientInfo(deviceId)
    if (client === undefined) throw serverError('DEVICE_OFFLINE', { id: deviceId })
    if (!client.features.has('terminal')) throw serverError('TERMINAL_UNSUPPORTED', { id: deviceId })
    this.#requireRoom(deviceId)
    const entry = { deviceId }
    this.#open.add(entry)
    const end = (): boolean => this.#open.delete(entry)
    const transfer = waiting.open(deviceId)
    const settled = new AbortController()
    try {
      await client.taskProtocol.sendOpenTerminal({ terminalId: transfer.id, requestedBy: by, wanted })
      const late = sleep(clock, LIMITS.terminalStart, AbortSignal.any([settled.signal, signal])).then(() => null)
      const device = await Promise.race([transfer.connected, late])
      if (signal.aborted) {
        void transfer.connected.then((connected) => connected.terminate())
        throw serverError('CLIENT_DISCONNECTED')
      }
      if (device === null) throw aipError('TIMEOUT', { operation: 'Opening the terminal', seconds: LIMITS.terminalStart / 1000 })
      logger.info(`[Terminal] ${by} opened one on ${deviceId}`)
      return {
        serve: async (operator) => {
          await this.#join(operator, device)
          end()
          logger.info(`[Terminal] One of ${by} on ${deviceId} has ended`)
        },
      }
    } catch (error) {
      end()
      throw error
    } finally {
      transfer.close()
      settled.abort()
    }
  }

  #requireRoom(deviceId: string): void {
    const onDevice = [...this.#open].filter((each) => each.deviceId === deviceId).length
    if (onDevice >= LIMITS.terminalsOfDevice) throw aipError('TOO_MANY_TERMINALS', { limit: LIMITS.terminalsOfDevice })
    if (this.#open.size >= SERVER_LIMITS.terminals) throw aipError('TOO_MANY_TERMINALS', { limit: SERVER_LIMITS.terminals })
  }

  async #join(operator: Transport, device: Transport): Promise<void> {
    const seconds = SERVER_LIMITS.terminalIdle / 1000
    const idle = new SilenceWatch(this.#ports.clock, SERVER_LIMITS.terminalIdle, () => {
      void operator.close(1000, `nothing was typed or printed for ${seconds} s`)
      void device.close(1000, 'idle')
    })
    // What was typed and not taken by the program must not keep it alive.
    void operator.closed.then(() => device.close(1000))
    await Promise.all([passOn(operator, device, idle), passOn(device, operator, idle)])
    idle.stop()
  }
}

/** Passes frames on until either end has gone, which ends the other: one at a time, so that nothing gathers here. */
async function passOn(from: Transport, to: Transport, idle: SilenceWatch): Promise<void> {
  try {
    for (;;) {
      const frame = await from.receive()
      idle.heard()
      await to.send(frame)
    }
  } catch {
    // Either end has gone. What the device sent last is delivered before the close.
    const code = from.state === 'disconnected' ? (await from.closed).code : 1000
    await to.close(code === 1000 ? 1000 : 1011, code === 1000 ? '' : 'the other end was lost')
  }
}
