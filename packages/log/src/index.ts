export type { ValueReference } from './large-values.js'
export { LogError, type LogErrorCode } from './log-error.js'
export { RecordLog, type LogEntry, type RecordLogOptions } from './record-log.js'
export type { AppendOptions, LogRecord, PruneLimits, StreamInfo, StreamQuery } from './types.js'
