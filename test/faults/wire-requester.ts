import { setTimeout as sleep } from 'node:timers/promises'
import { WebSocket } from 'ws'
import type { DeviceRig } from './device-rig.ts'
import { Random } from './random.ts'
import { inputsOf, newTask } from './task.ts'
import type { Tasks } from './tasks.ts'

type Message = Record<string, unknown>

/** Asks for tasks on any device over a connection of its own, as a constellation; comes back when that connection is lost. */
export async function wireRequester(
  name: string,
  devices: readonly [DeviceRig, ...DeviceRig[]],
  { url, tasks, seed, signal }: { url: string; tasks: Tasks; seed: number; signal: AbortSignal },
): Promise<void> {
  const random = new Random(seed)
  while (!signal.aborted) {
    await oneConnection(name, devices, { url, tasks, random, signal })
    await sleep(200)
  }
}

async function oneConnection(
  name: string,
  devices: readonly [DeviceRig, ...DeviceRig[]],
  { url, tasks, random, signal }: { url: string; tasks: Tasks; random: Random; signal: AbortSignal },
): Promise<void> {
  const socket = new WebSocket(url, { perMessageDeflate: false })
  const send = (message: Message): void =>
    socket.send(JSON.stringify({ status: 'ok', client_type: 'constellation', client_id: name, ...message }))
  const next = (): void => {
    if (signal.aborted) return socket.close()
    const device = random.pick(devices)
    const task = tasks.expected(newTask(device, name))
    const request = `workflow:marks ${JSON.stringify(inputsOf(task, random))}`
    send({ type: 'task', target_id: device.id, session_id: task.name, task_name: task.name, request_id: task.name, request })
  }
  socket.on('open', () => send({ type: 'register' }))
  socket.on('message', (data: Buffer) => {
    const message = JSON.parse(data.toString()) as Message
    const sessionId = typeof message['session_id'] === 'string' ? message['session_id'] : ''
    if (message['type'] === 'task_end') {
      tasks.delivered(name, sessionId, message['result'])
      next()
    } else if (message['type'] === 'error') setTimeout(next, 100)
    else if (sessionId === '') next()
    else tasks.acknowledged(sessionId)
  })
  socket.on('error', () => {})
  const stop = (): void => socket.close()
  signal.addEventListener('abort', stop, { once: true })
  await new Promise((resolve) => socket.once('close', resolve))
  signal.removeEventListener('abort', stop)
  tasks.abandoned(name)
}
