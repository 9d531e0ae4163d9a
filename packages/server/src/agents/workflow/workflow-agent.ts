import { runsCancelled } from '@orrery/graph'
import type { Work } from '@orrery/aip/records'
import type { Agent, AgentContext, AgentOutcome } from '../agent.js'
import { parseWorkflow } from './parse-workflow.js'
import { WorkflowRun } from './workflow-run.js'

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
    cleansUp: (work) => work.kind === 'workflow' && cleansUp(work),
    run: (context) => run(context, agentName),
  }
}

/** Returns whether a workflow, or one that it calls, has steps that run after it was cancelled. */
function cleansUp({ source, file, called = {} }: Extract<Work, { kind: 'workflow' }>): boolean {
  return [{ source, file }, ...Object.values(called)].some((each) => runsCancelled(parseWorkflow(each.source, each.file)))
}

function run(context: AgentContext, agentName: string | undefined): Promise<AgentOutcome> {
  const { work } = context
  if (work.kind !== 'workflow') throw new TypeError(`not a workflow: ${work.kind}`)
  const workflow = parseWorkflow(work.source, work.file)
  return new WorkflowRun(
    { workflow, inputs: work.inputs, called: work.called ?? {}, agentName: workflow.agent ?? agentName, depth: 1, prefix: '' },
    context,
  ).run()
}
