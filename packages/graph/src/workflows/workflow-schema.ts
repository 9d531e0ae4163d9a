import { z } from 'zod'

/** A name of an input or a step. */
export const NAME = /^[a-z][a-z0-9_-]{0,63}$/i
/** The name of a workflow, which is also part of a path. */
export const WORKFLOW_NAME = /^[a-z0-9]+([_.-][a-z0-9]+)*$/i
/** The name of a variable or a secret. */
const VARIABLE = /^[A-Za-z_]\w{0,127}$/

/** An input: its purpose, type and default. Without a default it is required. */
export const WorkflowInput = z.strictObject({
  type: z.enum(['string', 'number', 'boolean', 'array', 'object']).default('string').describe('Type of the value'),
  description: z.string().optional().describe('What the input is for; shown in lists'),
  default: z.unknown().optional().describe('Value when none is given; without it the input is required'),
  options: z
    .array(z.union([z.string(), z.number()]))
    .min(1)
    .optional()
    .describe('The allowed values'),
})
export type WorkflowInput = z.infer<typeof WorkflowInput>

const Env = z.record(z.string().regex(VARIABLE), z.union([z.string(), z.number(), z.boolean()]))

/** A step: one tool call, command, copied file or other workflow, or one for each item of a list. Texts may contain `${{ }}` expressions. */
export const WorkflowStep = z.strictObject({
  id: z.string().regex(NAME).optional().describe('Name under which later steps find the result: steps.ID.result'),
  name: z.string().optional().describe('What the step does; shown while it runs'),
  tool: z
    .string()
    .min(1)
    .max(256)
    .optional()
    .describe('Name of a tool as `orrery tools` lists it, or type::name. A step has one of tool, run and uses'),
  run: z
    .string()
    .min(1)
    .optional()
    .describe('A command: short for the tool execute_command, or run_command if there are variables in env'),
  uses: z
    .string()
    .min(1)
    .optional()
    .describe('cp copies a file from or to another device, workflow:NAME runs another workflow; with has their arguments'),
  with: z.record(z.string(), z.unknown()).default({}).describe('Arguments of the tool, of cp, or inputs of the other workflow'),
  env: Env.default({}).describe('Variables of this step: of the command of run, and in expressions as env.NAME'),
  if: z
    .union([z.string(), z.boolean()], { error: 'must be an expression, or true or false' })
    .optional()
    .describe(
      'The step runs only if this expression is true; without always(), failure() or cancelled() also only after success',
    ),
  foreach: z
    .union([z.string(), z.array(z.unknown())], { error: 'must be a list, or an expression that gives one' })
    .optional()
    .describe('A list; the step runs once for each item, which it sees as item and index'),
  retry: z
    .strictObject({
      times: z.number().int().min(1).max(100).describe('How often a failed call is retried'),
      wait_ms: z.number().int().min(0).max(3_600_000).default(1000).describe('Wait before each retry, in milliseconds'),
    })
    .optional()
    .describe('Retries a failed call'),
  'continue-on-error': z.boolean().default(false).describe('A failure of this step does not end the workflow'),
  'ok-exit-codes': z
    .union([z.array(z.number().int().min(0).max(255)).min(1), z.literal('any')], {
      error: "must be a list of exit codes from 0 to 255, or 'any'",
    })
    .optional()
    .describe('Exit codes of a program that count as success; default: 0 alone'),
  timeout_ms: z.number().int().min(1).max(6_000_000).optional().describe('How long one call may take, in milliseconds'),
  'working-directory': z.string().min(1).optional().describe('Folder in which the command of run is run'),
  agent: z
    .string()
    .optional()
    .describe('Agent name of the command, which selects tools on existing devices; default: that of the workflow'),
  process: z.string().optional().describe('Process name of the command'),
  root: z.string().optional().describe('Root name of the command'),
})
export type WorkflowStep = z.infer<typeof WorkflowStep>

/** A workflow file. */
export const WorkflowFile = z.strictObject({
  name: z
    .string()
    .regex(WORKFLOW_NAME, 'must be letters and digits, with a dash, a dot or an underscore between')
    .max(64)
    .optional()
    .describe('Name by which it is called; default: that of its file'),
  description: z.string().default('').describe('What it does, in a sentence'),
  inputs: z.record(z.string().regex(NAME), WorkflowInput).default({}).describe('Its inputs'),
  env: Env.default({}).describe('Variables of all its steps'),
  agent: z
    .string()
    .optional()
    .describe(
      "Agent name of all its commands, such as FollowerAgent; default: the server's setting, else that of the device's platform",
    ),
  steps: z.array(WorkflowStep).min(1).max(200).describe('What it does, in order'),
  finally: z.array(WorkflowStep).max(200).default([]).describe('Steps that run at the end, whether the others succeeded or not'),
  result: z.unknown().optional().describe('What comes out: any value with expressions; default: the results of the steps by id'),
})
export type WorkflowFile = z.infer<typeof WorkflowFile>
