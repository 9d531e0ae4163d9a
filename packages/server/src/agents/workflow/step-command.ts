import { ToolType, type Command } from '@orrery/aip'
import { render, type Scope, type WorkflowStep } from '@orrery/graph'
import type { ExecuteOptions } from '../agent.js'
import { SERVER_LIMITS } from '../../limits.js'

/** A command without its id. */
export type StepCommand = Omit<Command, 'call_id'>

/** Expressions in a command must have a value: what is not there must not become an empty text. */
export const STRICT = { strict: true } as const

/**
 * Returns the command of a step with `tool` or `run`.
 * @throws Error if an expression cannot be evaluated, or its value is not defined
 */
export function stepCommand(step: WorkflowStep, scope: Scope): StepCommand {
  if (step.run !== undefined) return runCommand(step, step.run, scope)
  const tool = step.tool ?? ''
  const [, type, name = tool] = /^(action|data_collection)::(.+)$/s.exec(tool) ?? []
  return {
    tool_name: name,
    tool_type: ToolType.nullable().parse(type ?? null),
    parameters: render(step.with, scope, STRICT) as Record<string, unknown>,
  }
}

/** Existing devices have execute_command, which takes no variables. */
function runCommand(step: WorkflowStep, run: string, scope: Scope): StepCommand {
  const line = textOf(render(run, scope, STRICT))
  const folder = step['working-directory']
  const cwd = folder === undefined ? {} : { cwd: textOf(render(folder, scope, STRICT)) }
  const seconds = step.timeout_ms === undefined ? undefined : Math.max(1, Math.ceil(step.timeout_ms / 1000))
  if (Object.keys(scope.env ?? {}).length === 0) {
    const timeout = seconds === undefined ? {} : { timeout: seconds }
    return { tool_name: 'execute_command', tool_type: null, parameters: { command: line, ...cwd, ...timeout } }
  }
  const timeout = seconds === undefined ? {} : { timeout_s: Math.min(seconds, SERVER_LIMITS.commandTimeMost) }
  return { tool_name: 'run_command', tool_type: null, parameters: { line, env: scope.env, ...cwd, ...timeout } }
}

/** Returns how the command of a step is run. @param agentName of the workflow, if the step sets none @throws as {@link stepCommand} */
export function stepOptions(step: WorkflowStep, scope: Scope, agentName: string | undefined, label: string): ExecuteOptions {
  const { timeout_ms: time } = step
  return {
    label,
    ...optional('agentName', step.agent ?? agentName, scope),
    ...optional('processName', step.process, scope),
    ...optional('rootName', step.root, scope),
    // A program that is ended by its own time limit still returns its output.
    ...(time === undefined ? {} : { timeoutMs: step.run === undefined ? time : time + SERVER_LIMITS.commandGrace }),
  }
}

/** Returns the variables of a workflow or a step with their values. @throws as {@link stepCommand} */
export function renderedEnv(env: WorkflowStep['env'], scope: Scope): Record<string, string> {
  return Object.fromEntries(Object.entries(env).map(([name, value]) => [name, textOf(render(value, scope, STRICT))]))
}

function optional<K extends string>(key: K, template: string | undefined, scope: Scope): { [P in K]?: string } {
  return template === undefined ? {} : ({ [key]: textOf(render(template, scope, STRICT)) } as { [P in K]?: string })
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
