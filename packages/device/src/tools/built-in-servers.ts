import type { Environment } from '../process/child-environment.js'
import { createBashExecutor } from './bash-executor/bash-executor.js'
import { createCommandLineExecutor } from './command-line-executor/command-line-executor.js'
import { createDesktopServer } from './desktop/desktop-server.js'
import { hasDisplay } from './desktop/x11.js'
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
  desktop: createDesktopServer,
  pdf: createPdfServer,
} as const

/** The name of a built-in server. */
export type BuiltInName = keyof typeof BUILT_IN_SERVERS

/** All names of {@link BUILT_IN_SERVERS}. */
export const BUILT_IN_NAMES = Object.keys(BUILT_IN_SERVERS) as BuiltInName[]

/** Names under which the `mcp.yaml` of existing devices knows servers whose tools are in one of the built-in ones. */
const EXISTING_NAMES: ReadonlyMap<string, BuiltInName> = new Map<string, BuiltInName>([
  ['PDFReaderExecutor', 'pdf'],
  ['UICollector', 'desktop'],
  ['HostUIExecutor', 'desktop'],
  ['AppUIExecutor', 'desktop'],
])

/** The name of the built-in server that has the tools of a server of an existing device; other names stay as they are. */
export function ownNameOf(name: string): string {
  return EXISTING_NAMES.get(name) ?? name
}

/** Whether a built-in server has anything to work with on this machine; one that has not is not offered. */
export function isAvailable(name: BuiltInName, env: Environment): boolean {
  return name !== 'desktop' || hasDisplay(env)
}
