import type { BuiltInName } from '../config/built-in-names.js'
import type { BuiltInTools } from '../policy/call-effects.js'
import type { Environment } from '../process/child-environment.js'
import { bashExecutor } from './bash-executor/bash-executor.js'
import type { BuiltInServer } from './built-in-server.js'
import { commandLineExecutor } from './command-line-executor/command-line-executor.js'
import { desktopServer } from './desktop/desktop-server.js'
import { hasDisplay } from './desktop/x11.js'
import { filesServer } from './files/files-server.js'
import { pdfServer } from './pdf/pdf-server.js'
import { TERMINAL_TOOL, terminalCall } from './shell/terminal-call.js'
import { shellServer } from './shell/shell-server.js'
import { systemServer } from './system/system-server.js'

/** The servers that come with the device, each with its tools. */
export const BUILT_IN_SERVERS: Readonly<Record<BuiltInName, BuiltInServer>> = {
  BashExecutor: bashExecutor,
  CommandLineExecutor: commandLineExecutor,
  shell: shellServer,
  files: filesServer,
  system: systemServer,
  desktop: desktopServer,
  pdf: pdfServer,
}

/** Returns whether a built-in server has anything to work with on this machine; one that has not is not offered. */
export function isAvailable(name: BuiltInName, env: Environment): boolean {
  return name !== 'desktop' || hasDisplay(env)
}

/** What a policy knows of the tools that come with the device. */
export const BUILT_IN_TOOLS: BuiltInTools = {
  find(tool, shell) {
    if (tool === TERMINAL_TOOL) return { server: 'shell', readOnly: false }
    for (const [server, builtIn] of Object.entries(BUILT_IN_SERVERS)) {
      const found = builtIn.tools(shell).find(({ name }) => name === tool)
      if (found !== undefined) return { server, readOnly: found.readOnly }
    }
    return undefined
  },
  describeCall(server, tool, args, place) {
    if (server === 'shell' && tool === TERMINAL_TOOL) return terminalCall.describeCall(args, place)
    const found = isBuiltIn(server) ? BUILT_IN_SERVERS[server].tools(place.shell).find(({ name }) => name === tool) : undefined
    return found?.describeCall(args, place) ?? null
  },
}

/** Returns whether a server of this name comes with the device. */
export function isBuiltIn(server: string): server is BuiltInName {
  return Object.hasOwn(BUILT_IN_SERVERS, server)
}
