export type { RecordDescription } from './record.js'
export { Progress, RECORDS, RECORD_SCHEMAS, RecordType, SecretPlace, type RecordData } from './session-records.js'
export { Owner, Work } from './work.js'
