import type { ToolContext } from '../tool-context.js'
import type { Jobs } from './jobs.js'
import type { OutputStore } from './output-store.js'

/** What the tools of the server `shell` share. */
export interface ShellState {
  context: ToolContext
  outputs: OutputStore
  jobs: Jobs
}
