import { DEVICE_RECORDS, KINDS, KIND_NAMES, SERVER_RECORDS, type Kind } from './kinds.ts'
import { Random } from './random.ts'

/** One fault that is to be injected. Times in milliseconds. */
export interface Fault {
  kind: Kind
  /** Number of the device that it strikes, or with which it strikes the server. */
  device: number
  /** Waits until a command runs there. */
  duringCommand: boolean
  /** Then waits this long. */
  delayMs: number
  /** How long it lasts, where it does. */
  durationMs: number
  /** How long a killed process stays away. */
  awayMs: number
  /** When a process is struck: before or after it records something, e.g. `after done`. */
  moment: string
  record: string
  /** Characters of the result that is sent to a client that does not read it. */
  bulk: number
  /** Whether that client comes back to its sessions. */
  resumes: boolean
}

/** Faults for a number of devices, and those of the server: each list is injected in order, all lists at the same time. */
export interface Plan {
  devices: Fault[][]
  server: Fault[]
}

/** More than the buffers of a socket take; 20 MB is what a screen recording or a log comes to. */
const BULKS = [8_000_000, 8_000_000, 8_000_000, 20_000_000] as const

/** Plans faults. The same arguments give the same plan. @param kinds those that may come */
export function planFaults(options: { count: number; seed: number; devices: number; kinds?: readonly Kind[] }): Plan {
  const random = new Random(options.seed)
  const kinds = (options.kinds ?? KIND_NAMES).flatMap((kind) => Array.from<Kind>({ length: KINDS[kind].weight }).fill(kind))
  const plan: Plan = { devices: Array.from({ length: options.devices }, () => []), server: [] }
  let next = 0
  for (let made = 0; made < options.count; made += 1) {
    const kind = kinds[random.between(0, kinds.length - 1)] ?? 'drop'
    const forServer = KINDS[kind].target === 'server'
    const device = forServer ? random.between(0, options.devices - 1) : next % options.devices
    if (!forServer) next += 1
    const record = random.pick(forServer ? SERVER_RECORDS : DEVICE_RECORDS)
    const fault = {
      kind,
      device,
      duringCommand: random.chance(0.6),
      delayMs: random.between(0, 150),
      durationMs: random.between(100, 1500),
      awayMs: random.between(0, 300),
      moment: `${random.pick(['before', 'after'])} ${record}`,
      record,
      bulk: random.pick(BULKS),
      resumes: random.chance(0.5),
    }
    ;(forServer ? plan.server : (plan.devices[device] ?? plan.server)).push(fault)
  }
  return plan
}
