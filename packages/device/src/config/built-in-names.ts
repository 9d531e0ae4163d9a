/** Names of the servers that come with the device, in the order in which their tools are registered. */
export const BUILT_IN_NAMES = ['BashExecutor', 'CommandLineExecutor', 'shell', 'files', 'system', 'desktop', 'pdf'] as const

/** The name of a built-in server. */
export type BuiltInName = (typeof BUILT_IN_NAMES)[number]

/** Names under which the `mcp.yaml` of existing devices knows servers whose tools are in one of the built-in ones. */
const EXISTING_NAMES: ReadonlyMap<string, BuiltInName> = new Map<string, BuiltInName>([
  ['PDFReaderExecutor', 'pdf'],
  ['UICollector', 'desktop'],
  ['HostUIExecutor', 'desktop'],
  ['AppUIExecutor', 'desktop'],
])

/** Returns the name of the built-in server that has the tools of a server of an existing device; other names stay as they are. */
export function ownNameOf(name: string): string {
  return EXISTING_NAMES.get(name) ?? name
}
