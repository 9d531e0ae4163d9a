export type { ValueReference } from './large-values.js'
export { LogError, type LogErrorCode } from './log-error.js'
export { RecordLog } from './record-log.js'
export type { AppendOptions, LogRecord, PruneLimits, RecordLogOptions, StreamInfo, StreamQuery } from './types.js'
