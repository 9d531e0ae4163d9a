export { backoff, resumeWait } from './backoff.js'
export { sleep, systemClock, isoTime, wireTime, type Clock, type Timer } from './clock.js'
export { tlsProblemOf, tlsProblemText, type TlsProblem } from './tls-problem.js'
export { parseUrl } from './parse-url.js'
export { closestName } from './closest-name.js'
export {
  buildMessage,
  decodeClientMessage,
  decodeServerMessage,
  encodeMessage,
  type Decoded,
  type Dialect,
  type Fields,
  type Outgoing,
} from './codec.js'
export { EncodedValue, encodedJson } from './encoded-value.js'
export { endOf, shortened, startOf } from './cut-text.js'
export { exceeds, jsonShape, type JsonShape } from './json-shape.js'
export {
  AipError,
  clip,
  defineErrors,
  entry,
  messageOf,
  shownName,
  type ErrorEntries,
  type ErrorEntry,
  type ErrorTable,
} from './define-errors.js'
export { ERRORS, aipError, errorOfText, errorText, isAipError, type ErrorCode } from './errors.js'
export { defineLimits, limit, limitValues, type Limit, type LimitsTable } from './define-limits.js'
export { CLIENT_ID, CONSTELLATION_ID, LIMITS, LIMITS_TABLE, PINGS_PER_SILENCE } from './limits.js'
export { logError, silentLogger, type Logger } from './logger.js'
export { commandOf, type CommandLike } from './messages/aliases.js'
export { agentNameFor } from './messages/agent-name.js'
export { DevicePush, PushedTool, readDevicePush, type ReadDevicePush } from './messages/device-push.js'
export type { Direction, MessageOf, MessageRecord } from './messages/record.js'
export { Agreement, Offer, agreementIn, offerIn, type AgreementFields, type OfferFields } from './messages/negotiation.js'
export { TO_CLIENT, ServerMessageType, type ServerMessage } from './messages/to-client.js'
export { TO_SERVER, ClientMessageType, type ClientMessage } from './messages/to-server.js'
export {
  ClientType,
  Command,
  DeviceInfo,
  Feature,
  MCPToolInfo,
  McpServerStatus,
  Result,
  ResultStatus,
  TaskStatus,
  ToolType,
} from './messages/values.js'
export {
  AIPProtocol,
  type AIPProtocolOptions,
  type AnyMessage,
  type Incoming,
  type MessageHandler,
  type Middleware,
  type Side,
} from './protocol/aip-protocol.js'
export { CommandProtocol } from './protocol/command.js'
export { DeviceInfoProtocol } from './protocol/device-info.js'
export { HeartbeatProtocol } from './protocol/heartbeat.js'
export { RegistrationProtocol, type RegistrationOutcome } from './protocol/registration.js'
export { TaskExecutionProtocol } from './protocol/task-execution.js'
export { SilenceWatch } from './silence-watch.js'
export { withTimeLimit } from './time-limit.js'
export { createLinkedTransports } from './transport/linked.js'
export type { Pace } from './transport/pace.js'
export type { CloseInfo, Transport, TransportState } from './transport/transport.js'
export { clearText, visibleText } from './visible-text.js'
export { WholeNumber, mayRound, parseWhole } from './whole-number.js'
export { TerminalControl, TerminalOpening, TerminalReport, TerminalWanted, terminalFrame } from './terminal-frames.js'
