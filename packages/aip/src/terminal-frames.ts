import { z } from 'zod'
import { LIMITS } from './limits.js'

const columns = z.int().min(1).max(LIMITS.terminalSize).describe('Width in characters.')
const rows = z.int().min(1).max(LIMITS.terminalSize).describe('Height in lines.')

/** What is to run in a terminal, and how large it is. */
export const TerminalWanted = z.object({
  program: z
    .string()
    .min(1)
    .max(LIMITS.terminalWord)
    .nullable()
    .default(null)
    .describe("The program; null: the shell of the device's user."),
  args: z.array(z.string().max(LIMITS.terminalWord)).max(LIMITS.terminalWords).default([]).describe('Its arguments.'),
  cwd: z
    .string()
    .max(LIMITS.terminalWord)
    .nullable()
    .default(null)
    .describe('The folder to run in; null: the start folder of the device.'),
  columns,
  rows,
  term: z
    .string()
    .regex(/^[\w.+-]{1,64}$/)
    .default('xterm-256color')
    .describe('The kind of terminal, for the variable TERM.'),
})
export type TerminalWanted = z.output<typeof TerminalWanted>

/** The first text frame of an operator: what is to run. */
export const TerminalOpening = TerminalWanted.extend({ type: z.literal('open') })

/** Text frames of an operator once the terminal is open; what is typed comes in binary frames. */
export const TerminalControl = z.object({ type: z.literal('resize'), columns, rows })
export type TerminalControl = z.output<typeof TerminalControl>

/** Text frames to an operator; what the program prints comes in binary frames. */
export const TerminalReport = z.discriminatedUnion('type', [
  z.object({ type: z.literal('waiting') }).describe('The owner of the device is asked for approval.'),
  z.object({ type: z.literal('started') }).describe('The program runs.'),
  z
    .object({ type: z.literal('ended'), exit_code: z.int().nullable(), signal: z.string().nullable() })
    .describe(
      'The program has ended, with this exit code (128+n after a signal), or its terminal by a signal; the connection closes.',
    ),
  z
    .object({ type: z.literal('refused'), code: z.string(), detail: z.string() })
    .describe('There is no terminal, and why; the connection closes.'),
])
export type TerminalReport = z.output<typeof TerminalReport>

/** Reads a text frame. @returns null for one that is none of these */
export function terminalFrame<T extends z.ZodType>(schema: T, frame: string): z.output<T> | null {
  try {
    return schema.safeParse(JSON.parse(frame)).data ?? null
  } catch {
    return null
  }
}
