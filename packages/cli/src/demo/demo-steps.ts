import type { CommandInput } from '@orrery/aip/api'
import { z } from 'zod'

/** One thing that the demo does, and what must come out of it. */
export interface DemoStep {
  title: string
  work: { commands: CommandInput[] } | { request: string }
  /** Whether the device must refuse it. */
  denied?: true
  /** Throws unless the result is what the title promises. */
  verify(ended: { status: string; result: unknown }): void
}

const Succeeded = z.tuple([z.object({ status: z.literal('success'), result: z.unknown() })])
const Refused = z.tuple([
  z.object({ status: z.literal('failure'), error: z.string().regex(/Denied by the device's policy \(rule: /) }),
])
const Output = z.object({ success: z.literal(true), exit_code: z.literal(0), stdout: z.string().min(1) })

/** The steps of the demo, in order. The last one is the report. */
export const DEMO_STEPS: readonly DemoStep[] = [
  {
    title: 'A command through the shell tool',
    work: { commands: [{ tool_name: 'execute_command', parameters: { command: 'uname -a' } }] },
    verify: ({ result }) => void Output.parse(Succeeded.parse(result)[0].result),
  },
  {
    title: 'Two tools of an MCP server that runs as a child process',
    work: {
      commands: [
        { tool_name: 'echo', parameters: { message: 'hello from the demo' } },
        { tool_name: 'get-sum', parameters: { a: 17, b: 25 } },
      ],
    },
    verify({ result }) {
      const [echo, sum] = z
        .array(z.object({ result: z.string() }))
        .length(2)
        .parse(result)
      if (echo?.result !== 'Echo: hello from the demo') throw new Error(`echo said: ${echo?.result}`)
      if (sum?.result.includes('42') !== true) throw new Error(`the sum of 17 and 25 came out as: ${sum?.result}`)
    },
  },
  {
    title: 'A command that this device does not allow: it is denied',
    work: { commands: [{ tool_name: 'execute_command', parameters: { command: 'touch /etc/orrery-demo' } }] },
    denied: true,
    verify: ({ result }) => void Refused.parse(result),
  },
  {
    title: 'A workflow: the same steps each time, no model needed',
    work: { request: 'workflow:system-report' },
    verify({ status, result }) {
      if (status !== 'completed') throw new Error(`it ended as ${status}`)
      z.string().includes('Device: ').parse(result)
    },
  },
]
