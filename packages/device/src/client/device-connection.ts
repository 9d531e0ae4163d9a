import {
  AIPProtocol,
  DeviceInfoProtocol,
  HeartbeatProtocol,
  RegistrationProtocol,
  TaskExecutionProtocol,
  type Clock,
  type Feature,
  type Logger,
  type Transport,
} from '@orrery/aip'
import { DEVICE_SOCKET, WebSocketTransport } from '@orrery/aip/node'

/** The life of a connection: all that is made anew for each. */
export interface DeviceConnection {
  readonly transport: Transport
  readonly aip: AIPProtocol<'client'>
  readonly registration: RegistrationProtocol
  readonly heartbeat: HeartbeatProtocol
  readonly tasks: TaskExecutionProtocol
  readonly deviceInfo: DeviceInfoProtocol
  /** What server and device have agreed on at the registration. */
  features: ReadonlySet<Feature>
}

/**
 * Dials a server.
 * @param options.signal ends the attempt
 * @throws AipError `CONNECT_FAILED`
 */
export async function dialServer(
  url: string,
  options: { clock: Clock; logger: Logger; signal: AbortSignal },
): Promise<DeviceConnection> {
  const { clock, logger, signal } = options
  const transport = await WebSocketTransport.connect(url, { ...DEVICE_SOCKET, clock, signal })
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
