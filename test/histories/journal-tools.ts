import { McpServer } from '@modelcontextprotocol/server'
import { BUILT_IN_NAMES, DeviceConfig, type LocalServerFactory } from '@orrery/device'
import { z } from 'zod'

/** More than a record holds itself. */
const LARGE = 'all work and no play makes a dull journal; '.repeat(1600)

/** A device that has nothing but the tools below, and allows all of them. */
export const JOURNAL_DEVICE = DeviceConfig.parse({
  tools: Object.fromEntries(BUILT_IN_NAMES.map((name) => [name, false])),
  policy: [{ do: 'allow' }],
})

/** What the tools do besides giving a result. */
export interface ToolEffects {
  /** A call has begun. */
  ran: (tool: string) => void
  /** What `cut_off` does; default: nothing. */
  cutOff?: () => void
  /** Whether `hang` ends only when it is cancelled; default: it ends at once. */
  hangs?: boolean
}

/** The tools of the device whose journal is recorded: `quick`, `count`, `broken`, `large`, `cut_off` and `hang`. */
export function journalTools({ ran, cutOff, hangs = false }: ToolEffects): LocalServerFactory {
  return () => {
    const server = new McpServer({ name: 'lab', version: '1.0.0' })
    const add = (name: string, give: (signal: AbortSignal) => string | Promise<string>): void => {
      server.registerTool(name, { inputSchema: z.looseObject({}) }, async (_input, { mcpReq: { signal } }) => {
        ran(name)
        return { content: [{ type: 'text', text: await give(signal) }] }
      })
    }
    add('quick', () => 'done at once')
    add('count', () => '{"files": 3}')
    add('large', () => LARGE)
    add('broken', () => Promise.reject(new Error('the tool broke')))
    add('cut_off', () => {
      cutOff?.()
      return 'cut off'
    })
    add('hang', (signal) =>
      hangs
        ? new Promise((resolve) => signal.addEventListener('abort', () => resolve('cancelled'), { once: true }))
        : 'ended at once',
    )
    return server
  }
}
