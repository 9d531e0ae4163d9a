/** A file that imports another one against the order, both relative to `src`. */
export interface KnownImport {
  from: string
  to: string
}

/** The order of the folders (and of the files beside them) of one package. */
export interface FolderOrder {
  /** The folder of the sources. */
  src: string
  /** From top to bottom: each imports only from lines below; those in one line do not import each other. */
  layers: readonly string[]
  /** Imports that still break the order. One that no longer does fails the check, so that the list shrinks. */
  known: readonly KnownImport[]
}

/** The packages whose folders have an order; a cycle of files is refused in all packages. */
export const FOLDER_ORDERS: readonly FolderOrder[] = [
  {
    src: 'packages/server/src',
    layers: ['index', 'server', 'http', 'connection', 'files', 'sessions', 'agents', 'clients', 'store', 'config keys'],
    known: [
      { from: 'agents/agent.ts', to: 'sessions/command-dispatcher.ts' },
      { from: 'agents/agent.ts', to: 'sessions/task.ts' },
      { from: 'agents/model/parse-plan.ts', to: 'sessions/task.ts' },
      { from: 'agents/model/role.ts', to: 'sessions/command-dispatcher.ts' },
      { from: 'agents/workflow/workflow-library.ts', to: 'sessions/task.ts' },
      { from: 'config/server-config.ts', to: 'agents/model/model-config.ts' },
      { from: 'keys.ts', to: 'connection/registration.ts' },
      { from: 'sessions/offered-tools.ts', to: 'files/transfer-tools.ts' },
    ],
  },
  {
    src: 'packages/cli/src',
    layers: ['main', 'program', 'commands', 'copy demo follow running', 'settings', 'terminal'],
    known: [],
  },
  {
    src: 'packages/device/src',
    layers: [
      'index',
      'device check-device',
      'client',
      'computer',
      'mcp',
      'presets',
      'config',
      'tools',
      'policy',
      'audit journal info',
      'dbus',
      'process',
      'file-error glob',
    ],
    known: [
      { from: 'mcp/mcp-server-manager.ts', to: 'client/transfer-dialer.ts' },
      { from: 'mcp/planned-servers.ts', to: 'client/transfer-dialer.ts' },
      { from: 'policy/dead-rules.ts', to: 'tools/built-in-calls.ts' },
      { from: 'policy/explain-policy.ts', to: 'config/device-config.ts' },
      { from: 'policy/explain-policy.ts', to: 'tools/built-in-calls.ts' },
      { from: 'policy/explain-policy.ts', to: 'tools/built-in-servers.ts' },
      { from: 'policy/policy.ts', to: 'tools/built-in-calls.ts' },
      { from: 'policy/policy.ts', to: 'tools/call-effects.ts' },
      { from: 'presets/presets.ts', to: 'mcp/connection.ts' },
      { from: 'presets/presets.ts', to: 'mcp/stdio-connector.ts' },
      { from: 'tools/files/files-state.ts', to: 'client/transfer-dialer.ts' },
      { from: 'tools/tool-context.ts', to: 'client/transfer-dialer.ts' },
    ],
  },
]
