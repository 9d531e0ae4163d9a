import { startDevice, type DeviceHandle, type DeviceOptions } from '../../src/index.js'
import { RecordingLogger } from './recording-logger.js'
import { ScriptedServer, type ScriptedConnection, type ServerBehaviour } from './scripted-server.js'

/** A device and the scripted server that it dials. */
export interface RunningDevice extends AsyncDisposable {
  server: ScriptedServer
  device: DeviceHandle
  logger: RecordingLogger
}

/** Starts a device that no server has accepted yet. Both end with the test. */
export async function dial(options: Partial<DeviceOptions> = {}, behaviour: ServerBehaviour = {}): Promise<RunningDevice> {
  const server = await ScriptedServer.listen(behaviour)
  const logger = new RecordingLogger()
  const device = startDevice({ serverUrl: server.url, clientId: 'lab-1', logger, ...options })
  return {
    server,
    device,
    logger,
    async [Symbol.asyncDispose]() {
      await device.stop()
      await server[Symbol.asyncDispose]()
    },
  }
}

/** A device that is registered, and the connection on which it is. */
export interface OnlineDevice extends RunningDevice {
  connection: ScriptedConnection
  registration: Record<string, unknown>
}

/** Starts a device and confirms its registration. @param result of the confirmation */
export async function online(
  options: Partial<DeviceOptions> = {},
  result: unknown = null,
  behaviour: ServerBehaviour = {},
): Promise<OnlineDevice> {
  const running = await dial(options, behaviour)
  const connection = await running.server.connection()
  const registration = await connection.accept(result)
  await running.device.registered
  return { ...running, connection, registration, [Symbol.asyncDispose]: () => running[Symbol.asyncDispose]() }
}
