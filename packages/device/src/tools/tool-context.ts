import type { Clock } from '@orrery/aip'
import type { Transfers } from '../transfers/transfer-dialer.js'
import type { Permits } from '../policy/permits.js'
import type { Roots } from '../policy/roots.js'
import type { ShellMode } from '../policy/shell-policy.js'
import type { Environment } from '../process/child-environment.js'

/** What a built-in server gets of the device. */
export interface ToolContext {
  shell: ShellMode
  clock: Clock
  /** The device's own environment; children get only its harmless part. */
  env: Environment
  /** The folder in which commands run unless they name another. */
  cwd: string
  /** Where tools may work with files. */
  roots: Roots
  /** Commands that the policy has let through. */
  permits: Permits
  /** A folder for what tools keep aside while they run. */
  dataDir: string
  /** Connections for whole files. */
  transfers: Transfers
}
