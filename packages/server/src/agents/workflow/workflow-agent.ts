import { ToolType, type Command, type Result } from '@orrery/aip'
import type { Agent, AgentContext, AgentOutcome } from '../agent.js'
import { isTrue, type Scope } from './expression.js'
import { parseWorkflow } from './parse-workflow.js'
import { asCondition, render } from './template.js'
import type { WorkflowStep } from './workflow-schema.js'
import { SERVER_LIMITS } from '../../limits.js'

/** What a later step sees of an earlier one, as `steps.ID`. */
interface StepOutcome {
  status: 'success' | 'failure' | 'skipped'
  result: unknown
  error: string | null
}

/** Runs workflows: the same steps each time, without a model (the FollowerAgent of the seeds). */
export const followerAgent: Agent = followerAgentAs(undefined)

/**
 * Makes a {@link followerAgent} whose commands carry this agent name, such as `FollowerAgent`, unless the workflow or its step sets another.
 * @param agentName default: the agent of the device's platform
 */
export function followerAgentAs(agentName: string | undefined): Agent {
  return {
    name: 'workflow',
    accepts: (work) => work.kind === 'workflow',
    run: (context) => run(context, agentName),
  }
}

async function run(context: AgentContext, agentName: string | undefined): Promise<AgentOutcome> {
  if (context.work.kind !== 'workflow') throw new TypeError(`not a workflow: ${context.work.kind}`)
  const { source, file, inputs } = context.work
  const workflow = parseWorkflow(source, file)
  const agent = workflow.agent ?? agentName
  const scope: Scope = { inputs, steps: {}, device: { id: context.deviceId, platform: context.platform } }
  for (const [index, step] of workflow.steps.entries()) {
    const label = step.id ?? step.name ?? `${index + 1}`
    const outcome = await runStep({ ...step, agent: step.agent ?? agent }, scope, context).catch((error: unknown) =>
      failedStep(error, context),
    )
    if (step.id !== undefined) scope.steps[step.id] = outcome
    if (outcome.status === 'failure' && !step['continue-on-error'])
      return failure(`step '${label}' failed: ${outcome.error ?? ''}`)
  }
  try {
    return { status: 'completed', result: workflow.result === undefined ? resultsOf(scope) : render(workflow.result, scope) }
  } catch (error) {
    return failure(`the result cannot be made: ${textOf(error)}`)
  }
}

function failure(error: string): AgentOutcome {
  return { status: 'failed', result: null, error }
}

/** Runs a step. It fails if its expressions cannot be evaluated; a cancelled session ends. */
function failedStep(error: unknown, { signal }: AgentContext): StepOutcome {
  if (signal.aborted) throw error
  return { status: 'failure', result: null, error: textOf(error) }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function resultsOf({ steps }: Scope): Record<string, unknown> {
  return Object.fromEntries(Object.entries(steps as Record<string, StepOutcome>).map(([id, { result }]) => [id, result]))
}

async function runStep(step: WorkflowStep, scope: Scope, context: AgentContext): Promise<StepOutcome> {
  const condition = typeof step.if === 'string' ? render(asCondition(step.if), scope) : (step.if ?? true)
  if (!isTrue(condition)) return { status: 'skipped', result: null, error: null }
  if (step.foreach === undefined) return outcomeOf(await call(step, scope, context))
  const items = render(step.foreach, scope)
  if (!Array.isArray(items)) throw new TypeError(`foreach needs a list, not ${items === null ? 'null' : typeof items}`)
  if (items.length > SERVER_LIMITS.foreachItems)
    throw new RangeError(`foreach takes at most ${SERVER_LIMITS.foreachItems} items, not ${items.length}`)
  const outcomes: StepOutcome[] = []
  for (const [index, item] of items.entries()) {
    const outcome = outcomeOf(await call(step, { ...scope, item: item as unknown, index }, context))
    outcomes.push(outcome)
    if (outcome.status === 'failure' && !step['continue-on-error']) break
  }
  const failed = outcomes.find((outcome) => outcome.status === 'failure')
  return {
    status: failed === undefined ? 'success' : 'failure',
    result: outcomes.map(({ result }) => result),
    error: failed?.error ?? null,
  }
}

function outcomeOf({ status, result, error }: Result): StepOutcome {
  return { status: status === 'success' ? 'success' : 'failure', result, error }
}

/** Makes one call, with the retries of its step. */
async function call(step: WorkflowStep, scope: Scope, context: AgentContext): Promise<Result> {
  const [, type, name = step.tool] = /^(action|data_collection)::(.+)$/.exec(step.tool) ?? []
  const command: Omit<Command, 'call_id'> = {
    tool_name: name,
    tool_type: ToolType.nullable().parse(type ?? null),
    parameters: render(step.with, scope) as Record<string, unknown>,
  }
  const options = {
    label: step.name ?? step.id ?? step.tool,
    ...optional('agentName', step.agent, scope),
    ...optional('processName', step.process, scope),
    ...optional('rootName', step.root, scope),
    ...(step.timeout_ms === undefined ? {} : { timeoutMs: step.timeout_ms }),
  }
  for (let tries = step.retry?.times ?? 0; ; tries -= 1) {
    const [result] = await context.execute([command], options)
    if (result === undefined) throw new Error('the device gave no result')
    if (result.status === 'success' || tries === 0) return result
    await context.sleep(step.retry?.wait_ms ?? 0)
  }
}

function optional<K extends string>(key: K, template: string | undefined, scope: Scope): { [P in K]?: string } {
  return template === undefined ? {} : ({ [key]: String(render(template, scope)) } as { [P in K]?: string })
}
