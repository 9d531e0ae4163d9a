export { CONSTELLATION_SOCKET, DEVICE_SOCKET, WebSocketTransport, type WebSocketSettings } from './websocket-transport.js'
