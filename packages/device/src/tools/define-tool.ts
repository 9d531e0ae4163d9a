import type { CallToolResult, McpServer } from '@modelcontextprotocol/server'
import { messageOf } from '@orrery/aip'
import type { z } from 'zod'
import type { CallEffects, CallPlace, DescribedTool } from '../policy/call-effects.js'
import { PolicyViolation } from '../policy/policy-violation.js'
import { argumentMistakes } from './argument-mistakes.js'
import { FailingProgram } from './failing-program.js'
import { failedValue, toolError, toolValue } from './tool-error.js'

/** The annotations of a tool; all three are given, because their defaults in MCP differ. */
export interface ToolHints {
  readOnlyHint: boolean
  /** Whether it can destroy what was there; counts only for tools that are not read-only. */
  destructiveHint: boolean
  /** Whether a second call with the same arguments changes nothing more. */
  idempotentHint: boolean
  /** Whether it reaches beyond this machine. */
  openWorldHint?: boolean
}

/** A tool in full. `S` is what the tools of one server share. */
export interface ToolSpec<S, I extends z.ZodObject, O extends z.ZodObject> {
  name: string
  title: string
  /** For a model: what it does, when to use it, what its limits are. */
  description: string | ((state: S) => string)
  hints: ToolHints
  input: I
  output: O
  describeCall: (args: z.output<I>, place: CallPlace) => CallEffects
  /** Does the work. What it throws becomes the error of the call; a program that ends with an error gives its value too. */
  run: (args: z.output<I>, state: S, signal: AbortSignal) => Promise<z.output<O> | FailingProgram<z.output<O>>>
  /** Content for the caller instead of the value; the output schema of such a tool is not published. */
  content?: (value: z.output<O>) => CallToolResult['content']
}

/** A tool that can be put into a server. */
export interface DefinedTool<S> extends DescribedTool {
  register(server: McpServer, state: S): void
}

/** Makes a tool from its description. */
export function defineTool<S, I extends z.ZodObject, O extends z.ZodObject>(spec: ToolSpec<S, I, O>): DefinedTool<S> {
  const { name, title, description, hints, content } = spec
  const mistakes = (error: z.ZodError, args: unknown): string => argumentMistakes(error, args, Object.keys(spec.input.shape))
  return {
    name,
    readOnly: hints.readOnlyHint,
    describeCall(args, place) {
      const parsed = spec.input.safeParse(args ?? {})
      if (!parsed.success) return { refused: mistakes(parsed.error, args) }
      try {
        return spec.describeCall(parsed.data, place)
      } catch (error) {
        if (error instanceof PolicyViolation) throw error
        // The tool itself stops at the same place.
        return { refused: messageOf(error) }
      }
    },
    register(server, state) {
      // The SDK describes the arguments by the schema; what is wrong with them is said here, in words.
      const standard: z.ZodObject['~standard'] = spec.input['~standard']
      const inputSchema = { '~standard': { ...standard, validate: (value: unknown) => ({ value }) } }
      const shape: { outputSchema?: z.ZodObject } = content === undefined ? { outputSchema: spec.output } : {}
      const text = typeof description === 'string' ? description : description(state)
      const config = { title, description: text, inputSchema, ...shape, annotations: { openWorldHint: false, ...hints } }
      server.registerTool(name, config, async (args, ctx): Promise<CallToolResult> => {
        try {
          const parsed = spec.input.safeParse(args)
          if (!parsed.success) return toolError(mistakes(parsed.error, args))
          const value = await spec.run(parsed.data, state, ctx.mcpReq.signal)
          if (value instanceof FailingProgram) return failedValue(value.value, value.reason)
          return content === undefined ? toolValue(value) : { content: content(value) }
        } catch (error) {
          return toolError(error)
        }
      })
    },
  }
}
