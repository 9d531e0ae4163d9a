import { randomUUID } from 'node:crypto'
import type { DeviceRig } from './device-rig.ts'
import type { Random } from './random.ts'

/** A command of a task: parameters of the ledger's tool. */
export interface MarkParameters extends Record<string, unknown> {
  task: string
  call: string
  /** What the result must hold; no other result has it. */
  nonce: string
  /** Milliseconds before and after the effect. */
  before_ms: number
  after_ms: number
  /** Characters that the result is longer. */
  pad: number
}

/** A task that was asked for, and what is known of it. Times in milliseconds since the epoch. */
export interface FaultTask {
  name: string
  device: DeviceRig
  /** Who asked; its results may reach no one else. */
  requester: string
  nonce: string
  askedAt: number
  /** Null until the server has acknowledged it. */
  sessionId: string | null
  /** When its end was seen. */
  endedAt: number | null
  status: string | null
  /** The requester left, so that it may end as cancelled. */
  abandoned: boolean
}

/** A fresh task. */
export function newTask(device: DeviceRig, requester: string): FaultTask {
  const name = randomUUID()
  return {
    name,
    device,
    requester,
    nonce: randomUUID(),
    askedAt: Date.now(),
    sessionId: null,
    endedAt: null,
    status: null,
    abandoned: false,
  }
}

/** One to three commands for a task. */
export function commandsOf(task: FaultTask, random: Random, pad = 0): MarkParameters[] {
  return Array.from({ length: random.between(1, 3) }, (_, index) => ({
    task: task.name,
    call: `c${index}`,
    nonce: task.nonce,
    ...holdTimes(random),
    pad,
  }))
}

/** Inputs of the workflow for a task. */
export function inputsOf(task: FaultTask, random: Random): Record<string, string> {
  const { before_ms, after_ms } = holdTimes(random)
  return { task: task.name, nonce: task.nonce, before_ms: String(before_ms), after_ms: String(after_ms) }
}

function holdTimes(random: Random): { before_ms: number; after_ms: number } {
  const most = random.chance(0.3) ? 300 : 60
  return { before_ms: random.between(0, most), after_ms: random.between(0, most) }
}
