import { LIMITS } from '@orrery/aip'
import { scriptedAgent } from '../../support/scripted-agent.ts'
import type { Scenario } from '../scenario.ts'
import type { World } from '../world.ts'

const RESUMING = ['journal', 'resume', 'cancel']

function task(request: string): Scenario['begin'] {
  return (world) => {
    const names = { session_id: 's1', task_name: 'nightly', request_id: 'r1' }
    world.constellation?.send({ type: 'task', client_type: 'constellation', target_id: 'd1', request, ...names })
    return Promise.resolve()
  }
}

async function dispatch(world: World): Promise<void> {
  const { status, body } = await world.server.api('/api/dispatch', { client_id: 'd1', request: 'run echo', task_name: 'job' })
  if (status !== 200) throw new Error(JSON.stringify(body))
}

/** Sessions that others than an operator asked for, and those that the device is asked to start. */
export const REQUESTERS: readonly Scenario[] = [
  {
    name: 'constellation-delivered',
    about: 'A task of a constellation that can resume, which acknowledges its end',
    agents: [scriptedAgent],
    device: { features: RESUMING, answers: { echo: { give: 'heard' } } },
    constellation: ['resume'],
    begin: task('run echo'),
  },
  {
    name: 'constellation-disconnected',
    about: 'A constellation that cannot resume drops while its task runs',
    agents: [scriptedAgent],
    device: { features: RESUMING, answers: { echo: { never: true } }, returns: false },
    constellation: [],
    begin: task('run echo'),
    reactions: [{ after: 'commands_sent', until: 'ended', act: (world) => world.dropConstellation() }],
    continued: { reactions: [], session: { agent: null } },
  },
  {
    name: 'constellation-stays-away',
    about: 'A constellation that can resume drops while its task runs, and does not come back in time',
    agents: [scriptedAgent],
    device: { answers: { echo: { never: true } }, returns: false },
    constellation: ['resume'],
    begin: task('run echo'),
    reactions: [
      {
        after: 'commands_sent',
        until: 'ended',
        act: async (world) => {
          await world.dropConstellation()
          await world.clock.advance(LIMITS.resumeGrace)
        },
      },
    ],
    continued: {
      reactions: [{ after: 'accepted', until: 'ended', act: (world) => world.clock.advance(LIMITS.resumeGrace) }],
      session: { agent: null },
    },
  },
  {
    name: 'device-requested',
    about: 'A task that a device asks for itself',
    agents: [scriptedAgent],
    device: { features: RESUMING, answers: { echo: { give: 'heard' } } },
    begin: (world) => {
      world.device?.wire.send({ type: 'task', client_id: 'd1', request: 'run echo', task_name: 'own', request_id: 'r1' })
      return Promise.resolve()
    },
  },
  {
    name: 'dispatched-completed',
    about: 'A task that the device is asked to start, and starts',
    agents: [scriptedAgent],
    device: { features: RESUMING, answers: { echo: { give: 'heard' } } },
    begin: dispatch,
  },
  {
    name: 'dispatched-unanswered',
    about: 'A task that the device is asked to start, and does not start in time',
    agents: [scriptedAgent],
    device: { ignoresTasks: true },
    begin: dispatch,
    reactions: [{ after: 'accepted', until: 'ended', act: adoptionIsOver }],
  },
]

async function adoptionIsOver(world: World): Promise<void> {
  await world.device?.asked
  await world.clock.advance(LIMITS.dispatchTime)
}
