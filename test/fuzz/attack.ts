import type { Random } from '../faults/random.ts'
import type { Findings } from './findings.ts'
import type { ServerProcess } from './server-process.ts'

export const OPERATOR_KEY = 'operator-key-of-the-fuzz'
export const DEVICE_KEY = 'device-key-of-the-fuzz'

/** How long an answer may take on a busy machine, in milliseconds; only that it comes is judged. */
export const ANSWER_TIME = 30_000

/** What an attack works with. */
export interface Field {
  random: Random
  findings: Findings
  server: ServerProcess
  /** A folder of this run. */
  folder: string
}

/** One kind of attack: made once, then run round after round. */
export interface Attack {
  /** Tries something, and notes what must not happen. */
  round(): Promise<void>
  /** Ends what it started. */
  end(): Promise<void>
}

/** Makes an attack. */
export type MakeAttack = (field: Field) => Attack | Promise<Attack>

/** Waits for something; undefined if it does not come in time. */
export async function within<T>(promise: Promise<T>, ms = ANSWER_TIME): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
