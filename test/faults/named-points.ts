// Loaded into a server or a device with `node --import`: stops or kills that process exactly before or after it has recorded something.
// The file that ORRERY_FAULT_POINT names says where, e.g. `SIGKILL after results_received`; it is deleted when that happens.
import { readFileSync, rmSync } from 'node:fs'
import { KeyValues, RecordLog } from '@orrery/log'

const file = process.env['ORRERY_FAULT_POINT'] ?? ''

function strike(moment: string): void {
  let order: string
  try {
    order = readFileSync(file, 'utf8')
  } catch {
    return
  }
  const [signal = 'SIGKILL', ...point] = order.split(' ')
  if (point.join(' ') !== moment) return
  rmSync(file, { force: true })
  process.kill(process.pid, signal)
}

// oxlint-disable-next-line typescript/unbound-method -- it is called with its own log
const { append } = RecordLog.prototype

RecordLog.prototype.append = async function struck(stream, type, ...rest) {
  strike(`before ${type}`)
  const record = await append.call(this, stream, type, ...rest)
  strike(`after ${type}`)
  return record
}

// oxlint-disable-next-line typescript/unbound-method -- it is called with its own file
const { set } = KeyValues.prototype

// A value is named by its bucket, such as `tokens`.
KeyValues.prototype.set = async function struck(bucket, ...rest) {
  strike(`before ${bucket}`)
  await set.call(this, bucket, ...rest)
  strike(`after ${bucket}`)
}
