import {
  GRAPH_LIMITS,
  calledName,
  isMet,
  render,
  resolveInputs,
  secretNames,
  type JobStatus,
  type Scope,
  type WorkflowFile,
  type WorkflowStep,
} from '@orrery/graph'
import type { AgentContext, AgentOutcome } from '../agent.js'
import type { CalledWorkflows } from './called-workflows.js'
import { parseWorkflow } from './parse-workflow.js'
import { stepCopy } from './step-copy.js'
import { STRICT, renderedEnv, stepCommand, stepOptions } from './step-command.js'
import { outcomeOf, stepOutcome, type StepOutcome } from './step-outcome.js'
import { SERVER_LIMITS } from '../../limits.js'

/** One run of a workflow: by a session, or as a step of another workflow. */
export interface WorkflowCall {
  workflow: WorkflowFile
  inputs: Record<string, unknown>
  /** All workflows that it and those below it call. */
  called: CalledWorkflows
  /** The agent name of commands that set none. */
  agentName: string | undefined
  /** 1 for the workflow of the session. */
  depth: number
  /** The beginning of the labels of its steps. */
  prefix: string
}

/** Runs the steps of a workflow, in order. */
export class WorkflowRun {
  readonly #call: WorkflowCall
  readonly #context: AgentContext
  readonly #scope: Scope
  /** Whether the session was cancelled since this run began; one that begins after that is part of the cleaning up. */
  readonly #stopped: () => boolean
  readonly #outcomes: Record<string, StepOutcome> = {}
  #status: JobStatus = 'success'
  /** Why it has failed: the first step that counts. */
  #error: string | null = null

  constructor(call: WorkflowCall, context: AgentContext) {
    this.#call = call
    this.#context = context
    this.#stopped = stopsDuring(context.stopping)
    const { secrets } = context
    this.#scope = {
      inputs: call.inputs,
      steps: this.#outcomes,
      device: { id: context.deviceId, platform: context.platform },
      secrets: Object.fromEntries(secretNames(call.workflow).map((name) => [name, secrets.of(name)])),
      secretMark: secrets.mark,
    }
  }

  /** Runs it until it ends. @throws the reason of an abort when the session is cancelled */
  async run(): Promise<AgentOutcome> {
    const { workflow } = this.#call
    try {
      this.#scope.env = renderedEnv(workflow.env, this.#scope)
    } catch (error) {
      return failed(`env cannot be made: ${textOf(error)}`)
    }
    for (const [index, step] of workflow.steps.entries()) await this.#take(step, `${index + 1}`, false)
    for (const [index, step] of workflow.finally.entries()) await this.#take(step, `finally ${index + 1}`, true)
    if (this.#error !== null) return failed(this.#error)
    try {
      const result = workflow.result === undefined ? this.#results() : render(workflow.result, this.#scope)
      return { status: 'completed', result }
    } catch (error) {
      return failed(`the result cannot be made: ${textOf(error)}`)
    }
  }

  #results(): Record<string, unknown> {
    return Object.fromEntries(Object.entries(this.#outcomes).map(([id, { result }]) => [id, result]))
  }

  /** How the steps before have ended, for a condition. */
  get #before(): JobStatus {
    return this.#stopped() ? 'cancelled' : this.#status
  }

  /** @param last whether it is one of `finally`, whose condition alone decides */
  async #take(step: WorkflowStep, number: string, last: boolean): Promise<void> {
    const outcome = await this.#outcomeOf(step, last)
    if (outcome.status === 'failure' && step['continue-on-error']) outcome.conclusion = 'success'
    if (step.id !== undefined) this.#outcomes[step.id] = outcome
    if (outcome.conclusion !== 'failure') return
    this.#status = 'failure'
    this.#error ??= `step '${step.id ?? step.name ?? number}' failed: ${outcome.error ?? ''}`
  }

  /** Runs a step. It fails if its expressions cannot be evaluated. */
  async #outcomeOf(step: WorkflowStep, last: boolean): Promise<StepOutcome> {
    try {
      return await this.#run(step, last)
    } catch (error) {
      if (this.#context.signal.aborted) throw error
      return stepOutcome('failure', null, textOf(error))
    }
  }

  async #run(step: WorkflowStep, last: boolean): Promise<StepOutcome> {
    if (!isMet(step.if, this.#scope, this.#before, last)) return stepOutcome('skipped')
    const stopped = stopsDuring(this.#context.stopping)
    if (step.foreach === undefined) return this.#attempts(step, this.#scope, stopped)
    const items = render(step.foreach, this.#scope)
    if (!Array.isArray(items)) throw new TypeError(`foreach needs a list, not ${items === null ? 'null' : typeof items}`)
    if (items.length > SERVER_LIMITS.foreachItems)
      throw new RangeError(`foreach takes at most ${SERVER_LIMITS.foreachItems} items, not ${items.length}`)
    const outcomes: StepOutcome[] = []
    for (const [index, item] of items.entries()) {
      const outcome = await this.#attempts(step, { ...this.#scope, item: item as unknown, index }, stopped)
      outcomes.push(outcome)
      if (stopped() || (outcome.status === 'failure' && !step['continue-on-error'])) break
    }
    const error = outcomes.find(({ status }) => status === 'failure')
    const results = outcomes.map(({ result }) => result)
    return stepOutcome(error === undefined ? 'success' : 'failure', results, error?.error ?? null)
  }

  /** Does once what the step says, with its retries. */
  async #attempts(step: WorkflowStep, outer: Scope, stopped: () => boolean): Promise<StepOutcome> {
    const scope = { ...outer, env: { ...outer.env, ...renderedEnv(step.env, outer) } }
    for (let tries = step.retry?.times ?? 0; ; tries -= 1) {
      const outcome = await this.#once(step, scope)
      if (outcome.status === 'success' || tries === 0 || stopped()) return outcome
      await this.#context.sleep(step.retry?.wait_ms ?? 0)
      if (stopped()) return outcome
    }
  }

  async #once(step: WorkflowStep, scope: Scope): Promise<StepOutcome> {
    const { prefix, agentName } = this.#call
    const label =
      prefix +
      (step.name === undefined ? (step.id ?? step.tool ?? step.run ?? step.uses ?? '') : String(render(step.name, scope)))
    if (step.uses === 'cp') return this.#copy(step, scope, label)
    if (step.uses !== undefined) return this.#workflow(step, step.uses, scope, label)
    const [result] = await this.#context.execute([stepCommand(step, scope)], stepOptions(step, scope, agentName, label))
    if (result === undefined) throw new Error('the device gave no result')
    return outcomeOf(result, step['ok-exit-codes'])
  }

  async #copy(step: WorkflowStep, scope: Scope, label: string): Promise<StepOutcome> {
    const copy = stepCopy(step, scope, this.#context.deviceId)
    return outcomeOf(await this.#context.copyFile(copy, label), undefined)
  }

  /** Runs another workflow, with inputs and steps of its own. */
  async #workflow(step: WorkflowStep, uses: string, scope: Scope, label: string): Promise<StepOutcome> {
    const { called, agentName, depth } = this.#call
    const name = calledName(uses) ?? uses
    const target = called[name.toLowerCase()]
    if (target === undefined) throw new Error(`there is no workflow '${name}'`)
    if (depth > GRAPH_LIMITS.workflowDepth)
      throw new RangeError(`workflows call each other ${GRAPH_LIMITS.workflowDepth} levels deep at most`)
    const workflow = parseWorkflow(target.source, target.file)
    const inputs = resolveInputs(workflow, render(step.with, scope, STRICT) as Record<string, unknown>)
    if ('problems' in inputs) throw new Error(`workflow '${name}': ${inputs.problems.join('; ')}. It takes: ${inputs.takes}`)
    const call = {
      workflow,
      inputs: inputs.values,
      called,
      agentName: workflow.agent ?? step.agent ?? agentName,
      depth: depth + 1,
      prefix: `${label}: `,
    }
    const outcome = await new WorkflowRun(call, this.#context).run()
    return stepOutcome(outcome.status === 'completed' ? 'success' : 'failure', outcome.result, outcome.error ?? null)
  }
}

/** Returns a function that says whether the session was cancelled since now; a step that begins after that is part of the cleaning up. */
function stopsDuring(stopping: AbortSignal): () => boolean {
  const before = stopping.aborted
  return () => !before && stopping.aborted
}

function failed(error: string): AgentOutcome {
  return { status: 'failed', result: null, error }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
