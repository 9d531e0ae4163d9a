export {
  ApiClientError,
  OrreryApi,
  type AsksApi,
  type CallOptions,
  type DeviceFile,
  type DevicesApi,
  type EventOptions,
  type EventsApi,
  type Fetch,
  type FileBytes,
  type FileContent,
  type FollowOptions,
  type JsonRouteName,
  type OrreryApiOptions,
  type ReconnectLimits,
  type RouteInput,
  type SentFile,
  type SessionFilter,
  type SessionsApi,
  type WorkflowsApi,
} from './api/index.js'
export { trustingFetch, type ServerTrust } from '@orrery/aip/node'
export { ConstellationClient } from './client/constellation-client.js'
export type { ConstellationOptions, DeviceState, DeviceTarget, RunTaskOptions } from './client/constellation-options.js'
export { CONSTELLATION_ERRORS, ConstellationError, type ConstellationErrorCode } from './client/constellation-error.js'
export type { TaskResult, TaskRun } from './client/task-run.js'
