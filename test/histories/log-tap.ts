import { RecordLog } from '@orrery/log'
import type { HistoryRecord } from './history.ts'

/** What the code under recording appends to its logs, in any file or in memory. */
export interface LogTap extends Disposable {
  /** The appends so far to the logs with a label, in order. */
  recordsOf(label: string): HistoryRecord[]
  /** The label columns of these logs. */
  labelsOf(label: string): string[]
}

/** Listens to all logs of this process that are opened from now on, until it is disposed of. */
export function tapLogs(): LogTap {
  const { open } = RecordLog
  const taps: { labels: readonly string[]; records: HistoryRecord[] }[] = []
  RecordLog.open = (path, options) => {
    const log = open.call(RecordLog, path, options)
    const records: HistoryRecord[] = []
    taps.push({ labels: options.labels, records })
    const append = log.append.bind(log)
    log.append = async (stream, type, data, changes = {}) => {
      // The data may change once it is appended.
      const whole: unknown = JSON.parse(JSON.stringify(data))
      const record = await append(stream, type, data, changes)
      const stored: unknown = JSON.parse(JSON.stringify(record.data))
      records.push({
        seq: record.seq,
        stream,
        type,
        time: new Date(record.time).toISOString(),
        data: whole,
        ...(JSON.stringify(stored) === JSON.stringify(whole) ? {} : { stored }),
        ...(changes.labels === undefined ? {} : { labels: changes.labels }),
        ...(changes.summary === undefined ? {} : { summary: changes.summary(record.time) }),
        ...(changes.open === undefined ? {} : { open: changes.open }),
      })
      return record
    }
    return log
  }
  const tapsWith = (label: string): typeof taps => taps.filter(({ labels }) => labels.includes(label))
  return {
    recordsOf: (label) =>
      tapsWith(label)
        .flatMap(({ records }) => records)
        .sort((a, b) => a.seq - b.seq),
    labelsOf: (label) => [...(tapsWith(label)[0]?.labels ?? [])],
    [Symbol.dispose]: () => {
      RecordLog.open = open
    },
  }
}
