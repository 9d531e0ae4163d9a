import { createBashExecutor } from './bash-executor/bash-executor.js'
import { createCommandLineExecutor } from './command-line-executor/command-line-executor.js'
import { createFilesServer } from './files/files-server.js'
import { createPdfServer } from './pdf/pdf-server.js'
import { createShellServer } from './shell/shell-server.js'
import { createSystemServer } from './system/system-server.js'

/** The servers that come with the device, by name, in the order in which their tools are registered. */
export const BUILT_IN_SERVERS = {
  BashExecutor: createBashExecutor,
  CommandLineExecutor: createCommandLineExecutor,
  shell: createShellServer,
  files: createFilesServer,
  system: createSystemServer,
  pdf: createPdfServer,
} as const

/** The name of a built-in server. */
export type BuiltInName = keyof typeof BUILT_IN_SERVERS

/** All names of {@link BUILT_IN_SERVERS}. */
export const BUILT_IN_NAMES = Object.keys(BUILT_IN_SERVERS) as BuiltInName[]
