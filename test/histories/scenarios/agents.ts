import type { Agent } from '@orrery/server'
import { scriptedAgent } from '../../support/scripted-agent.ts'
import { ERRORS_OF_PROVIDERS } from '../../support/scripted-model.ts'
import type { Scenario } from '../scenario.ts'
import { QUESTION_TIME } from '../world.ts'

const RESUMING = ['journal', 'resume', 'cancel']

/** An agent of a caller that uses everything that an agent can. */
const surveyor: Agent = {
  name: 'surveyor',
  listens: true,
  accepts: (work) => work.kind === 'words',
  async run(context) {
    const tools = await context.listTools()
    const plan = await context.step('plan', () => Promise.resolve({ first: tools[0]?.tool_name ?? 'none', of: tools.length }))
    const colour = await context.ask('Which colour?', 60_000)
    const [found] = await context.execute([{ tool_name: plan.first, tool_type: 'action', parameters: { colour } }], {
      agentName: 'Surveyor',
      processName: 'editor',
      rootName: 'main',
      label: 'Looks around',
    })
    const heard = await context.step('heard', () => Promise.resolve([...context.remarks()]))
    return { status: 'completed', result: { plan, colour, found: found?.result, heard } }
  },
}

const WORKFLOW = `name: tidy
description: Counts, then clears what there is
inputs:
  path: { type: string, default: /tmp }
steps:
  - id: count
    name: Counts
    tool: count_files
    with: { text: "\${{ inputs.path }}" }
  - id: clear
    tool: clear
    if: \${{ steps.count.result.files > 0 }}
    foreach: \${{ steps.count.result.names }}
    with: { text: "\${{ item }}" }
  - id: again
    tool: flaky
    continue-on-error: true
    agent: Janitor
    process: broom
    root: cellar
  - tool: nothing
    if: \${{ steps.count.result.files > 9 }}
result: "\${{ steps.count.result.files }} cleared, \${{ steps.again.status }}"
`

const words =
  (request: string): Scenario['begin'] =>
  (world) =>
    world.start({ request })

/** Sessions of workflows, of a model and of agents that a caller of the server brings. */
export const AGENTS: readonly Scenario[] = [
  {
    name: 'workflow-completed',
    about: 'A workflow with inputs, a condition, a loop, a step that may fail and a result',
    device: {
      features: RESUMING,
      answers: { count_files: { give: { files: 2, names: ['a', 'b'] } }, flaky: { fail: 'not today' } },
    },
    begin: (world) => world.start({ workflow: WORKFLOW, file: 'tidy.yaml', inputs: { path: '/var/log' } }),
  },
  {
    name: 'workflow-failed',
    about: 'A workflow whose first step fails',
    device: { features: RESUMING, answers: { count_files: { fail: 'no such folder' } } },
    begin: (world) => world.start({ workflow: WORKFLOW, file: 'tidy.yaml' }),
  },
  {
    name: 'model-completed',
    about: 'A request in words, with a question to the user, a remark, and two batches',
    model: ({ turn }) => {
      if (turn === 0)
        return { text: 'First I look.', calls: [{ tool: 'look', input: { text: 'around' } }], usage: { input: 900, output: 40 } }
      if (turn === 1) return { calls: [{ tool: 'ask_user', input: { question: 'Which one?' } }] }
      if (turn === 2)
        return {
          calls: [
            { tool: 'paint', input: { text: 'the second' } },
            { tool: 'paint', input: { text: 'its frame' } },
          ],
        }
      return {
        calls: [{ tool: 'finish', input: { status: 'completed', result: 'It is blue.' } }],
        usage: { input: 1200, output: 30, cached: 800 },
      }
    },
    device: {
      features: RESUMING,
      tools: ['look', 'paint'],
      answers: { look: { give: { windows: ['Notes', 'Mail'] }, after: 'remark' } },
    },
    begin: words('Paint a window'),
    reactions: [
      { after: 'agent_step', until: 'remark', act: (world) => world.post('remark', { text: 'in blue' }) },
      { after: 'question', until: 'answer', act: (world) => world.post('answer', { text: 'the second' }) },
    ],
  },
  {
    name: 'model-question-unanswered',
    about: 'A question of the model that is not answered in time',
    model: ({ turn }) =>
      turn === 0
        ? { calls: [{ tool: 'ask_user', input: { question: 'May I?' } }] }
        : { calls: [{ tool: 'finish', input: { status: 'failed', result: 'I may not decide that' } }] },
    device: { features: RESUMING, tools: ['look'] },
    begin: words('Decide'),
    reactions: [{ after: 'question', until: 'answer', act: (world) => world.clock.advance(QUESTION_TIME) }],
  },
  {
    name: 'model-refused',
    about: 'The provider of the model refuses the key',
    model: [ERRORS_OF_PROVIDERS.wrongKey],
    device: { features: RESUMING, tools: ['look'] },
    begin: words('Look around'),
  },
  {
    name: 'model-cancelled',
    about: 'Cancelled by its user between two turns of the model',
    model: ({ turn }) => (turn === 0 ? { calls: [{ tool: 'look' }] } : 'silence'),
    device: { features: RESUMING, tools: ['look'] },
    begin: words('Look around'),
    reactions: [
      {
        after: 'agent_step',
        until: 'ended',
        act: async (world) => {
          await world.recorded('results_received', 2)
          await world.post('cancel')
        },
      },
    ],
  },
  {
    name: 'plan-completed',
    about: 'A plan in words that a model does step by step',
    model: ({ text }) =>
      text.includes('typed a')
        ? { text: 'typed b' }
        : text.includes('key a')
          ? { calls: [{ tool: 'finish', input: { status: 'completed', result: 'typed a' } }] }
          : { calls: [{ tool: 'type', input: { text: 'a' } }] },
    device: { features: RESUMING, tools: ['type'], answers: { type: { give: 'key a' } } },
    begin: (world) =>
      world.start({ workflow: JSON.stringify({ task: 'Type the alphabet', steps: ['Type a', 'Type b'], object: 'draft.docx' }) }),
  },
  {
    name: 'agent-completed',
    about: 'An agent of a caller with recorded steps, a question, a remark and a batch that names its agent, process and root',
    agents: [surveyor],
    device: { features: RESUMING, tools: ['look', 'paint'], answers: { look: { give: 'a house', after: 'remark' } } },
    begin: words('Look at the house'),
    reactions: [
      { after: 'question', until: 'answer', act: (world) => world.post('answer', { text: 'blue' }) },
      { after: 'answer', until: 'remark', act: (world) => world.post('remark', { text: 'and the garden' }) },
    ],
  },
  {
    name: 'agent-failed',
    about: 'An agent of a caller says that it failed',
    agents: [scriptedAgent],
    device: { features: RESUMING },
    begin: words('fail out of paint'),
  },
  {
    name: 'agent-thrown',
    about: 'An agent of a caller throws',
    agents: [scriptedAgent],
    device: { features: RESUMING },
    begin: words('throw the ladder broke'),
  },
  {
    name: 'agent-missing',
    about: 'A request in words on a server without a model',
    device: { features: RESUMING },
    begin: words('Look around'),
  },
]
