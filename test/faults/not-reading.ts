import { setTimeout as sleep } from 'node:timers/promises'
import type { SessionState } from './api.ts'
import { BulkConstellation } from './bulk-constellation.ts'
import type { DeviceRig } from './device-rig.ts'
import { EventReader } from './event-reader.ts'
import type { Fault } from './plan.ts'
import { newTask, type FaultTask } from './task.ts'
import type { Tasks } from './tasks.ts'
import type { World } from './world.ts'

/** While one client does not read, others must get on within this time, in milliseconds; a server that was killed is back by then. */
const PROGRESS_TIME = 30_000
/** Commands of a task whose events no socket takes at once, and the characters of each result: less than what is stored apart. */
const EVENTS = { commands: 50, pad: 60_000 } as const

/** A constellation asks for a large result and does not read when it comes. It must delay no other client, and get all its ends when it reads again. */
export async function constellationNotReading(fault: Fault, device: DeviceRig, world: World, tasks: Tasks): Promise<boolean> {
  const reader = await connected(world, tasks, fault.resumes)
  if (reader === null) return false
  const bulk = reader.ask(device, fault.bulk)
  reader.ask(device, null)
  reader.ask(otherThan(device, world), null)
  if (!(await reader.answered()) || bulk.sessionId === null) {
    await reader.leave()
    return false
  }
  reader.pause()
  const end = await endOf(bulk, world)
  if (end !== null) await othersContinue(bulk, end, { world, tasks, device })
  await sleep(fault.durationMs)
  reader.resume()
  await reader.untilEnded()
  return true
}

/** A reader of the events of a session, and of those of the fleet, does not read while they come. */
export async function streamNotReading(fault: Fault, device: DeviceRig, world: World, tasks: Tasks): Promise<boolean> {
  const { api, port, key } = world.server
  const task = newTask(device, 'stream-reader')
  const commands = Array.from({ length: EVENTS.commands }, (_, index) => ({
    tool_name: 'mark',
    parameters: { task: task.name, call: `c${index}`, nonce: task.nonce, pad: EVENTS.pad },
  }))
  const answer = await api.call('/api/sessions', { device_id: device.id, task_name: task.name, commands }).catch(() => null)
  if (answer?.status !== 201) return false
  tasks.accepted(task, (answer.body as SessionState).session_id)
  const path = `/api/sessions/${task.sessionId}/events`
  const readers = [path, '/api/events', path].map((each) => new EventReader(`http://127.0.0.1:${port}${each}`, key))
  const [own, fleet, ...others] = readers
  for (const reader of readers) await reader.open()
  const end = await endOf(task, world)
  if (end !== null) await othersContinue(task, end, { world, tasks, device })
  await sleep(fault.durationMs)
  fleet?.close()
  for (const reader of [own, ...others]) {
    const events = await reader?.readToEnd(tasks.limit())
    const missing = events === undefined ? 'no end' : missingIn(events)
    if (missing !== null) tasks.incomplete(task, `a reader of its events got ${missing}`)
  }
  return true
}

/** A device does not read while it is sent a large end. */
export async function deviceNotReading(fault: Fault, device: DeviceRig, world: World, tasks: Tasks): Promise<boolean> {
  const reader = await connected(world, tasks, fault.resumes)
  if (reader === null) return false
  const bulk = reader.ask(device, fault.bulk)
  const limit = Date.now() + PROGRESS_TIME
  while (device.ledger.times(bulk.name, 'a') === 0 && Date.now() < limit) await sleep(5)
  const gate = Promise.withResolvers<void>()
  device.proxy.unread = gate.promise
  const end = await endOf(bulk, world)
  if (end !== null) await othersContinue(bulk, end, { world, tasks, device: otherThan(device, world) })
  await sleep(fault.durationMs)
  gate.resolve()
  device.proxy.unread = Promise.resolve()
  await reader.untilEnded()
  return end !== null
}

async function connected({ server }: World, tasks: Tasks, resumes: boolean): Promise<BulkConstellation | null> {
  const reader = new BulkConstellation({ url: `ws://127.0.0.1:${server.port}/ws?token=${server.key}`, tasks, resumes })
  return (await reader.connect()) ? reader : null
}

/** When a session ended, in milliseconds since the epoch; null if it did not within the time. */
async function endOf(task: FaultTask, world: World): Promise<number | null> {
  const limit = Date.now() + PROGRESS_TIME
  while (Date.now() < limit) {
    const own = (await sessionsOf(task.device, world)).find(({ session_id: id }) => id === task.sessionId)
    if (typeof own?.ended_at === 'string') return Date.parse(own.ended_at)
    await sleep(50)
  }
  return null
}

/** Waits until a session of the device, and one of another, have ended after a moment. */
async function othersContinue(
  task: FaultTask,
  since: number,
  { world, tasks, device }: { world: World; tasks: Tasks; device: DeviceRig },
): Promise<void> {
  const limit = Date.now() + PROGRESS_TIME
  const hasGoneOn = async (other: DeviceRig): Promise<boolean> =>
    (await sessionsOf(other, world)).some(({ ended_at: at }) => at !== null && Date.parse(at) > since)
  const others = world.devices.filter((other) => other !== device)
  while (!(await hasGoneOn(device)) || !others.some(({ id }) => tasks.lastEnd(id) > since)) {
    if (Date.now() > limit)
      return tasks.hung(task, `while it was not read, no other session ended on ${device.id}, or none on the other devices`)
    await sleep(50)
  }
}

/** The last sessions of a device; none while the server is away. */
async function sessionsOf({ id }: DeviceRig, { server }: World): Promise<SessionState[]> {
  const answer = await server.api.call(`/api/sessions?device_id=${id}&limit=50`).catch(() => null)
  return answer?.status === 200 ? (answer.body as { sessions: SessionState[] }).sessions : []
}

function otherThan(device: DeviceRig, { devices }: World): DeviceRig {
  return devices[(devices.indexOf(device) + 1) % devices.length] ?? device
}

/** What is wrong with the events of a session that ended; null if nothing is. */
function missingIn(events: readonly { seq: number | null; type: string }[]): string | null {
  const seqs = events.flatMap(({ seq }) => (seq === null ? [] : [seq]))
  if (seqs.some((seq, index) => index > 0 && seq <= (seqs[index - 1] ?? 0))) return `events twice: ${seqs.join()}`
  const types = ['accepted', 'commands_sent', 'results_received', 'ended']
  const missing = types.filter((type) => !events.some((event) => event.type === type))
  return missing.length > 0 ? `no ${missing.join()}` : null
}
