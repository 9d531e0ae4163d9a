import type { Command, Feature } from '@orrery/aip'
import type { Outcome } from './task.js'

/** One batch of commands on its way to a device. */
export interface Batch {
  sessionId: string
  taskName: string
  /** Comes back with the results. */
  responseId: string
  agentName: string
  processName: string
  rootName: string
  /** What the batch is for, in words; recorded, not sent. */
  label: string | null
  actions: Command[]
  /** It only reads, so it may run beside another. */
  concurrent: boolean
}

/** A device that is online. Every method throws an AipError if the connection has ended. */
export interface DevicePeer {
  deviceId: string
  platform: string
  features: ReadonlySet<Feature>
  sendCommands(batch: Batch): Promise<void>
  sendTaskAssignment(task: { userRequest: string; taskName: string; sessionId: string }): Promise<void>
  sendCancel(target: { sessionId: string; reason: string }): Promise<void>
  sendAnswer(answer: { askId: string; sessionId: string; decision: 'allow' | 'deny'; by: string }): Promise<void>
}

/** A session that ended, as a client is told. */
export interface TaskEnd {
  sessionId: string
  /** The request in one line. */
  request: string
  outcome: Outcome
  responseId: string
  withResult: boolean
}

/** A client of either kind that is online. */
export interface EndListener {
  /** Sends an end, in this turn. Settles when it has left, or could not; never rejects. */
  sendEnd(end: TaskEnd): Promise<void>
}

/** All that sessions know of the clients. */
export interface Peers {
  /** The device, if it is online now. */
  device(id: string): DevicePeer | undefined
  /** The client, if it is online now. */
  client(id: string): EndListener | undefined
  /** Whether this device, online or not, has the features that its sessions need to wait for it. */
  canResume(id: string): boolean
  /** The arguments that the server adds to calls of a tool of this device; the device has no use for others. */
  addedArguments(deviceId: string, toolName: string): readonly string[]
}
