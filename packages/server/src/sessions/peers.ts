import type { Command, Feature } from '@orrery/aip'
import type { Outcome, Owner, Task } from './task.js'

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

/** A session that ended, for those who wait for it. */
export interface TaskEnd {
  sessionId: string
  deviceId: string
  owner: Owner
  request: string
  outcome: Outcome
  tellRequester: boolean
  /** Whether the device is told: not one that dropped, though it may be online again by now. */
  tellDevice: boolean
  /** Whether the device is told the result too; it has no use for one that an operator waits for over HTTP. */
  resultForDevice: boolean
}

/** All that sessions know of the clients. */
export interface Peers {
  /** The device, if it is online now. */
  device(id: string): DevicePeer | undefined
  /** Whether this device, online or not, has the features that its sessions need to wait for it. */
  canResume(id: string): boolean
  /** The arguments that the server adds to calls of a tool of this device; the device has no use for others. */
  addedArguments(deviceId: string, toolName: string): readonly string[]
  /** A session was accepted: from now on its device's and its requester's connections matter to it. */
  sessionOpened(task: Task): void
  /** Tells the requester, and then the device, that a session ended. Whoever is gone is skipped. */
  taskEnded(end: TaskEnd): Promise<void>
}
