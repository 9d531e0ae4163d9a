/** The HTTP API, shared by the server, the SDK and the command line. Field names are those of the wire. */
export { ApiError } from './api-error.js'
export { unknownKeys } from './body.js'
export { Ask, AskAnswer, AskList } from './asks.js'
export { CreateSession } from './create-session.js'
export {
  CommandInput,
  CommandsOutcome,
  Device,
  DeviceList,
  DeviceStatus,
  FileQuery,
  RunCommands,
  ToolList,
  WriteFileQuery,
  WrittenFile,
} from './devices.js'
export { Dispatch, DispatchOutcome, TaskResult } from './dispatch.js'
export type { BytesAnswer, EventsAnswer, JsonAnswer, Method, Right, Route } from './route.js'
export {
  ROUTES,
  ROUTE_NAMES,
  type RouteAnswer,
  type RouteAnswerInput,
  type RouteBody,
  type RouteBodyInput,
  type RouteName,
  type RouteOf,
  type RouteParams,
  type RouteQuery,
  type RouteQueryInput,
} from './routes.js'
export { Clients, Health, Liveness, Readiness } from './server-state.js'
export { FleetEvent, FleetEventQuery, FleetEventType } from './fleet-events.js'
export { LogQuery, SessionEvent, SessionLog, StoredValue } from './session-events.js'
export { WaitsFor, waitText } from '../records/waits-for.js'
export { QuestionAnswer, Remark, Session, SessionList, SessionQuery, SessionStatus, Usage, hasEnded } from './sessions.js'
export { InvalidWorkflow, WorkflowList, WorkflowSummary } from './workflows.js'
