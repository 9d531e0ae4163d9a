import type { Permits } from '../policy/permits.js'
import { SYSTEM_PATH } from '../policy/shell-policy.js'
import { childEnvironment, plainEnvironment, type Environment } from '../process/child-environment.js'

/**
 * The environment of a command of the strict shell. A program of its list may start a helper by name, which comes from the system's folders too.
 * Such programs reach no other machine; what the policy has let through beyond the list may, such as a package runner.
 */
export function strictEnvironment(
  { env, permits }: { env: Environment; permits: Permits },
  argv: readonly string[],
  cwd: string,
  extra: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const all = { ...extra, PATH: SYSTEM_PATH.join(':') }
  return permits.has(argv, cwd) ? childEnvironment(env, all) : plainEnvironment(env, all)
}
