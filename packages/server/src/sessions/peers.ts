import type { Command, Feature } from '@orrery/aip'
import type { SecretPlace } from '@orrery/aip/records'
import type { Outcome } from './task.js'

/** One batch of commands on its way to a device. */
export interface Batch {
  sessionId: string
  taskName: string
  /** Returned with the results. */
  responseId: string
  agentName: string
  processName: string
  rootName: string
  /** What the batch does, in words; recorded, not sent. */
  label: string | null
  actions: Command[]
  /** Where the values of secrets belong in the actions, which have `***` there. */
  secrets: readonly SecretPlace[]
  /** Who asked for what, for the owner of the device to see. */
  asker?: { by: string; request: string }
  /** It only reads, so it may run alongside another batch. */
  concurrent: boolean
}

/** An online device. Every method throws an AipError if the connection has ended. */
export interface DevicePeer {
  deviceId: string
  /** Identifies the connection: each registration makes a new one. */
  connection: object
  platform: string
  features: ReadonlySet<Feature>
  sendCommands(batch: Batch): Promise<void>
  sendTaskAssignment(task: { userRequest: string; taskName: string; sessionId: string }): Promise<void>
  sendCancel(target: { sessionId: string; reason: string }): Promise<void>
  sendAnswer(answer: {
    askId: string
    sessionId: string
    decision: 'allow' | 'deny'
    by: string
    digest: string | null
  }): Promise<void>
}

/** An ended session, as a client sees it. */
export interface TaskEnd {
  sessionId: string
  /** The request in one line. */
  request: string
  outcome: Outcome
  responseId: string
  withResult: boolean
}

/** An online client of either kind. */
export interface EndListener {
  /** Sends an end in this turn of the event loop. Settles when it has left or failed; never rejects. */
  sendEnd(end: TaskEnd): Promise<void>
}

/** All that sessions know about clients. */
export interface Peers {
  /** Returns the device, if it is online now. */
  device(id: string): DevicePeer | undefined
  /** Returns the client, if it is online now. */
  client(id: string): EndListener | undefined
  /** Returns whether this device, online or not, has the features that let its sessions wait for it. */
  canResume(id: string): boolean
  /** Returns the arguments that the server adds to calls of a tool of this device. */
  addedArguments(deviceId: string, toolName: string): readonly string[]
}
