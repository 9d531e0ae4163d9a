import { aipError } from '@orrery/aip'
import type { DeviceConfig } from './config/device-config.js'
import type { Environment } from './process/child-environment.js'
import { BUILT_IN_TOOLS, isBuiltIn } from './tools/built-in-servers.js'
import { Policy, type Verdict } from './policy/policy.js'
import { Roots } from './policy/roots.js'

/** What an explanation depends on beside the configuration; see `DeviceOptions`. */
export interface ExplainPlace {
  cwd?: string
  env?: Environment
  closedFolders?: readonly string[] | undefined
}

/**
 * What the policy of a configuration would do with a call; nothing runs.
 * @throws AipError for arguments with which the tool fails, whatever the policy says
 * @param call.server the MCP server that has the tool; default: the built-in one that has it
 */
export async function explainPolicy(
  config: DeviceConfig,
  call: { tool: string; args: Record<string, unknown>; server?: string | undefined },
  { cwd = process.cwd(), env = process.env, closedFolders }: ExplainPlace = {},
): Promise<Verdict> {
  const roots = new Roots({ folders: config.roots, closed: closedFolders, cwd })
  const policy = new Policy({ config: config.policy, shell: config.shell, roots, cwd, env, builtIn: BUILT_IN_TOOLS })
  const known = BUILT_IN_TOOLS.find(call.tool, config.shell)
  const server = call.server ?? known?.server ?? ''
  const builtIn = isBuiltIn(server)
  const configured = config.mcpServers[server]
  const verdict = await policy.decide({
    tool: call.tool,
    toolType: 'action',
    server,
    builtIn,
    trusted: builtIn || configured?.trustAnnotations === true,
    // The annotations of other servers' tools are known only while those run.
    readOnly: builtIn && known?.readOnly === true,
    args: call.args,
  })
  // Such a call fails whatever the policy says.
  if (verdict.invalid !== null) throw verdict.invalid
  if (verdict.rule === 'arguments') throw aipError('INVALID_INPUT', { detail: `${call.tool}: ${verdict.detail}` })
  return verdict
}
