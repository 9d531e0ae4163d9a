import type { Session } from '@orrery/aip/api'
import type { RecordType } from '@orrery/aip/records'
import type { Agent } from '@orrery/server'
import type { Script } from '../support/scripted-model.ts'
import type { DeviceScript } from './acting-device.ts'
import type { World } from './world.ts'

/** What happens from outside, once, when the session has one type of record and lacks another. */
export interface Reaction {
  after: RecordType
  until: RecordType
  act: (world: World) => Promise<unknown>
}

/** How the history of a session comes about, and how it continues after a cut. */
export interface Scenario {
  name: string
  /** What it is, in one line. */
  about: string
  agents?: readonly Agent[]
  /** What the model answers; without it there is none. A function of the request, so that it knows its turn after a restart. */
  model?: Script
  device: DeviceScript
  /** The features of the constellation that takes part; it is `c1`. */
  constellation?: readonly string[]
  /** The server keeps nothing after its process. */
  inMemory?: boolean
  /** Gives the server its task. */
  begin: (world: World) => Promise<unknown>
  reactions?: readonly Reaction[]
  /** What is different when the session is continued by another server. */
  continued?: {
    device?: DeviceScript
    reactions?: readonly Reaction[]
    /** What of the session differs from the recorded one at its end. */
    session?: Partial<Session>
    /** The records to the end are others. */
    otherRecords?: boolean
  }
}
