export { ApiClientError } from './api/api-client-error.js'
export type { DeviceFile } from './api/device-file.js'
export type { ReconnectLimits } from './api/event-stream.js'
export {
  OrreryApi,
  type CallOptions,
  type DispatchRequest,
  type EventOptions,
  type FileContent,
  type OrreryApiOptions,
  type SessionFilter,
} from './api/orrery-api.js'
export { ConstellationClient } from './client/constellation-client.js'
export type { ConstellationOptions, DeviceState, DeviceTarget, RunTaskOptions } from './client/constellation-options.js'
export { ConstellationError, type ConstellationErrorCode } from './client/constellation-error.js'
export type { TaskResult, TaskRun } from './client/task-run.js'
