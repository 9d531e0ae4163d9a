import { deviceInfoPush, deviceInfoRequest } from '../messages/to-server.js'
import type { DevicePush } from '../messages/device-push.js'
import { deviceInfoQuery, deviceInfoResponse } from '../messages/to-client.js'
import { ProtocolPart } from './aip-protocol.js'

/** What a device is and can do. */
export class DeviceInfoProtocol extends ProtocolPart {
  /** Asks the server about a device; the answer is a `device_info_response` whose `response_id` is `requestId`. */
  requestDeviceInfo(constellationId: string, targetId: string, requestId: string): Promise<void> {
    return this.aip.sendMessage(deviceInfoRequest, {
      client_type: 'constellation',
      client_id: constellationId,
      target_id: targetId,
      request_id: requestId,
    })
  }

  /** Answers {@link requestDeviceInfo}. @param requestId `null` if the request had none */
  sendDeviceInfoResponse(info: unknown, requestId: string | null): Promise<void> {
    return this.aip.sendMessage(deviceInfoResponse, { result: info, response_id: requestId })
  }

  /** Asks a device with the feature `info` what it is now. */
  sendDeviceInfoRequest(): Promise<void> {
    return this.aip.sendMessage(deviceInfoQuery, {})
  }

  /** Pushes the MCP servers and tools of this device to an Orrery server. */
  sendDeviceState(deviceId: string, state: DevicePush): Promise<void> {
    return this.sendDeviceInfoPush(deviceId, { ...state })
  }

  /** Sends the server information about this device. */
  sendDeviceInfoPush(deviceId: string, info: Record<string, unknown>): Promise<void> {
    return this.aip.sendMessage(deviceInfoPush, { client_id: deviceId, metadata: info })
  }
}
