export { ApiClientError } from './api/api-client-error.js'
export type { ReconnectLimits } from './api/event-stream.js'
export {
  OrreryApi,
  type CallOptions,
  type DispatchRequest,
  type EventOptions,
  type OrreryApiOptions,
  type SessionFilter,
} from './api/orrery-api.js'
