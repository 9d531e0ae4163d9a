import { setTimeout as sleep } from 'node:timers/promises'
import type { Api, SessionState } from './api.ts'
import type { DeviceRig } from './device-rig.ts'
import { Random } from './random.ts'
import { commandsOf, inputsOf, newTask, type FaultTask } from './task.ts'
import type { Tasks } from './tasks.ts'

/** Between two looks at a session, in milliseconds. */
const LOOK = 60

/** Asks for tasks on one device through the HTTP API, one after the other, until the signal aborts. */
export async function httpRequester(
  name: string,
  device: DeviceRig,
  { api, tasks, seed, signal }: { api: Api; tasks: Tasks; seed: number; signal: AbortSignal },
): Promise<void> {
  const random = new Random(seed)
  while (!signal.aborted) {
    const task = newTask(device, name)
    const trouble = device.troubles.at(-1)
    const full = trouble?.kind === 'full' && trouble.to === Infinity
    const pad = full || tasks.serverFull() ? 1_500_000 : 0
    const work = random.chance(0.5)
      ? { request: `workflow:marks ${JSON.stringify(inputsOf(task, random))}` }
      : { commands: commandsOf(task, random, pad).map((parameters) => ({ tool_name: 'mark', parameters })) }
    await ask(task, work, api, tasks)
    if (task.sessionId === null) await sleep(LOOK)
    else await untilEnded(task, api, tasks)
  }
}

/** Asks for a task. When the answer is lost, the server is asked whether it has the task. */
async function ask(task: FaultTask, work: object, api: Api, tasks: Tasks): Promise<void> {
  const request = { device_id: task.device.id, task_name: task.name, ...work }
  try {
    const { status, body } = await api.call('/api/sessions', request)
    if (status === 201) tasks.accepted(task, (body as SessionState).session_id)
  } catch {
    const found = await find(task, api, tasks.limit())
    if (found !== undefined) tasks.accepted(task, found.session_id)
  }
}

async function find(task: FaultTask, api: Api, limit: number): Promise<SessionState | undefined> {
  while (Date.now() < limit) {
    try {
      const { body } = await api.call(`/api/sessions?device_id=${task.device.id}&limit=200`)
      return (body as { sessions: SessionState[] }).sessions.find(({ task_name: name }) => name === task.name)
    } catch {
      await sleep(LOOK)
    }
  }
  return undefined
}

async function untilEnded(task: FaultTask, api: Api, tasks: Tasks): Promise<void> {
  const limit = tasks.limit()
  while (Date.now() < limit) {
    try {
      const { status, body } = await api.call(`/api/sessions/${task.sessionId}`)
      if (status === 404) return tasks.lost(task, 'the server does not know it')
      const session = body as SessionState
      if (status === 200 && session.ended_at !== null) return tasks.ended(task, session)
    } catch {
      // The server is away; it comes back.
    }
    await sleep(LOOK)
  }
  tasks.hung(task)
}
