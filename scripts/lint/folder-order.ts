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
    layers: [
      'index',
      'server',
      'http prune-regularly',
      'connection',
      'fleet',
      'terminals',
      'files',
      'sessions',
      'agents',
      'clients',
      'store',
      'identity config',
      'errors limits',
    ],
    known: [],
  },
  {
    src: 'packages/graph/src',
    layers: ['index', 'workflows', 'expressions', 'yaml', 'limits'],
    known: [],
  },
  {
    src: 'packages/cli/src',
    layers: [
      'main device-main',
      'program device-program run-program',
      'base-program',
      'commands',
      'copy demo exec running',
      'follow',
      'results',
      'settings',
      'terminal',
    ],
    known: [],
  },
  {
    src: 'packages/device/src',
    layers: [
      'index',
      'device check-device explain-policy',
      'capabilities client',
      'computer terminals',
      'mcp',
      'tools',
      'config',
      'policy',
      'transfers audit journal info',
      'dbus',
      'process',
      'paths',
      'errors limits',
    ],
    known: [],
  },
]
