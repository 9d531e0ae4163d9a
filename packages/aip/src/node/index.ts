export { receiveContent, sendContent, type ContentOptions, type IncomingContent } from './file-content.js'
export {
  piecesOf,
  receiveFile,
  sendFile,
  writeChunks,
  type FileTarget,
  type ReceiveFileOptions,
  type SendFileOptions,
  type TransferredFile,
} from './file-transfer.js'
export { FrameWatch } from './frame-watch.js'
export { withKeyInHeader } from './keyed-dialer.js'
export { heartbeatLoop } from './heartbeat-loop.js'
export { LargeResults } from './large-results.js'
export { proxiedFetch, proxyProblem } from './proxied-fetch.js'
export { proxyFor, proxyVariablesIn, type Proxy, type ProxyVariables } from './proxy.js'
export { OWN_SERVER, isOwnRefusal } from './own-refusal.js'
export { ReconnectingLink, receiveAll, type Down, type LinkOptions } from './reconnecting-link.js'
export { registerClient, type ClientIdentity, type Registered } from './register-client.js'
export { fingerprintOf, parseFingerprint, type ServerTrust } from './server-trust.js'
export { trustingFetch } from './trusting-fetch.js'
export { type ServerConnection } from './server-connection.js'
export { SharedBudget, type Holder } from './shared-budget.js'
export { CONSTELLATION_SOCKET, DEVICE_SOCKET, TRANSFER_SOCKET, type WebSocketSettings } from './websocket-settings.js'
export { WebSocketTransport } from './websocket-transport.js'
