import type { Clock } from '@orrery/aip'
import type { Transfers } from '../../transfers/transfer-dialer.js'
import type { Roots } from '../../policy/roots.js'
import type { Environment } from '../../process/child-environment.js'

/** What the file tools share. */
export interface FilesState {
  roots: Roots
  clock: Clock
  /** Where programs such as ripgrep are looked for. */
  env: Environment
  transfers: Transfers
}
