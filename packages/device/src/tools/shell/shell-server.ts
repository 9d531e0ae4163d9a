import { defineServer } from '../built-in-server.js'
import { listJobs, readOutput, sendInput, startJob, stopJob } from './job-tools.js'
import { Jobs } from './jobs.js'
import { OutputStore } from './output-store.js'
import { runCommand } from './run-command.js'
import type { ShellState } from './shell-state.js'

/** The built-in server `shell`: programs of this machine, run to completion or in the background. All end with the server. */
export const shellServer = defineServer<ShellState>(
  'shell',
  (shell) => [runCommand(shell), startJob(shell), listJobs, readOutput, sendInput(shell), stopJob],
  (context) => {
    const outputs = new OutputStore(context.dataDir)
    const jobs = new Jobs(outputs, context.clock)
    return { state: { context, outputs, jobs }, close: () => void jobs.close().then(() => outputs.close()) }
  },
)
