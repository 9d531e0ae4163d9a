import { messageOf } from '@orrery/aip'
import { z } from 'zod'
import { SYSTEM_PATH, allowCommand } from '../../policy/shell-policy.js'
import { plainEnvironment } from '../../process/child-environment.js'
import { runProcess } from '../../process/run-process.js'
import type { ToolContext } from '../tool-context.js'
import { DEVICE_LIMITS } from '../../limits.js'

/** What `get_system_info` gives: the output of `uname -a`, `uptime`, `free -h` and `df -h`. */
export const SystemInfo = z.object({ uname: z.string(), uptime: z.string(), memory: z.string(), disk: z.string() })

/** Asks the usual programs. One that is missing or fails gives `Error: …`. */
export async function readSystemInfo(context: ToolContext, signal: AbortSignal): Promise<z.infer<typeof SystemInfo>> {
  const [uname, uptime, memory, disk] = await Promise.all([
    output(context, 'uname -a', signal),
    output(context, 'uptime', signal),
    output(context, 'free -h', signal),
    output(context, 'df -h', signal),
  ])
  return { uname, uptime, memory, disk }
}

async function output(context: ToolContext, line: string, signal: AbortSignal): Promise<string> {
  try {
    const command = await allowCommand(line, 'strict', context.cwd)
    const outcome = await runProcess({
      ...command,
      cwd: context.cwd,
      env: plainEnvironment(context.env, { PATH: SYSTEM_PATH.join(':') }),
      timeoutMs: DEVICE_LIMITS.systemInfo,
      clock: context.clock,
      signal,
    })
    const text = outcome.stdout.trim()
    // `df` fails as a whole for one file system that it may not look at; what it did find still counts.
    if (text !== '') return text
    return `Error: ${outcome.ended === 'timeout' ? `Timeout after ${DEVICE_LIMITS.systemInfo / 1000}s.` : outcome.stderr.trim()}`
  } catch (error) {
    return `Error: ${messageOf(error)}`
  }
}
