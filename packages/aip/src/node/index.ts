export {
  receiveFile,
  sendFile,
  type FileTarget,
  type ReceiveFileOptions,
  type SendFileOptions,
  type TransferredFile,
} from './file-transfer.js'
export { CONSTELLATION_SOCKET, DEVICE_SOCKET, WebSocketTransport, type WebSocketSettings } from './websocket-transport.js'
