import type { Clock } from '../clock.js'
import type { Logger } from '../logger.js'
import type { Feature } from '../messages/values.js'
import { AIPProtocol } from '../protocol/aip-protocol.js'
import { DeviceInfoProtocol } from '../protocol/device-info.js'
import { HeartbeatProtocol } from '../protocol/heartbeat.js'
import { RegistrationProtocol } from '../protocol/registration.js'
import { TaskExecutionProtocol } from '../protocol/task-execution.js'
import type { Transport } from '../transport/transport.js'
import type { KeyedDialer } from './keyed-dialer.js'
import type { ServerTrust } from './server-trust.js'
import type { WebSocketSettings } from './websocket-settings.js'

/** A client's connection to a server, with everything that belongs to it. */
export interface ServerConnection {
  readonly transport: Transport
  readonly aip: AIPProtocol<'client'>
  readonly registration: RegistrationProtocol
  readonly heartbeat: HeartbeatProtocol
  readonly tasks: TaskExecutionProtocol
  readonly deviceInfo: DeviceInfoProtocol
  /** What was negotiated at the registration; empty before that, and with existing servers. */
  features: ReadonlySet<Feature>
}

/** How {@link dialServer} dials. */
export interface DialOptions {
  /** Settings of the socket that differ from a device's. */
  socket?: Partial<WebSocketSettings>
  /** Which certificate of the server counts. */
  trust?: ServerTrust | undefined
  clock: Clock
  logger: Logger
  /** Ends the attempt, if it aborts. */
  signal: AbortSignal
}

/**
 * Dials a server.
 * @throws AipError `UNAUTHORIZED` if the server refuses the key, otherwise `CONNECT_FAILED`
 */
export async function dialServer(
  dialer: KeyedDialer,
  { socket, trust, clock, logger, signal }: DialOptions,
): Promise<ServerConnection> {
  const transport = await dialer.connect({ ...socket, clock, signal, trust })
  const aip = new AIPProtocol(transport, { side: 'client', clock, logger })
  return {
    transport,
    aip,
    registration: new RegistrationProtocol(aip),
    heartbeat: new HeartbeatProtocol(aip),
    tasks: new TaskExecutionProtocol(aip),
    deviceInfo: new DeviceInfoProtocol(aip),
    features: new Set(),
  }
}
