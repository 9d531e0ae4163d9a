import { LIMITS } from '@orrery/aip'
import { describe, expect, it, vi } from 'vitest'
import { WorkflowLibrary } from '../src/agents/workflow/workflow-library.js'
import { TaskLine } from '../src/connection/task-line.js'
import { SERVER_LIMITS } from '../src/limits.js'
import { scriptedAgent } from '../../../test/support/scripted-agent.js'
import { OPERATOR_KEY, startTestServer } from '../../../test/support/test-server.js'
import { WireClient, type Json } from '../../../test/support/wire-client.js'

const constellation = { client_id: 'c1', client_type: 'constellation' }

describe('a flood of tasks', () => {
  it('reads at most one workflow at a time for a connection, and none for a task that finds no place in the queue', async () => {
    await using server = await startTestServer({ agents: [scriptedAgent] })
    const device = await WireClient.register(server.url, OPERATOR_KEY, { client_id: 'd1' })
    device.send({ type: 'task', session_id: 'first', request: 'hang' })
    await device.next()
    let reading = 0
    let most = 0
    const { workOf } = WorkflowLibrary.prototype
    const read = vi.spyOn(WorkflowLibrary.prototype, 'workOf').mockImplementation(async function slow(
      this: WorkflowLibrary,
      request,
    ) {
      reading += 1
      most = Math.max(most, reading)
      await new Promise((resolve) => setImmediate(resolve))
      reading -= 1
      return workOf.call(this, request)
    })
    try {
      const flood = LIMITS.waitingSessions + 50
      for (let n = 0; n < flood; n += 1) device.send({ type: 'task', session_id: `s${n}`, request: 'hang' })
      const answers: Json[] = []
      while (answers.length < flood) answers.push(await device.next())
      const refused = answers.filter(({ type }) => type === 'error')
      expect(refused).toHaveLength(50)
      expect(refused[0]?.['error']).toMatch(/already has 100 waiting tasks/)
      expect(most).toBe(1)
      expect(read).toHaveBeenCalledTimes(LIMITS.waitingSessions)
    } finally {
      read.mockRestore()
    }
  })

  it('is refused with TASKS_WAITING once too many wait on the connection', async () => {
    const line = new TaskLine('c1')
    const gate = Promise.withResolvers<void>()
    const waiting = Array.from({ length: SERVER_LIMITS.waitingTasks }, () => line.next(() => gate.promise))
    await expect(line.next(() => Promise.resolve())).rejects.toMatchObject({ code: 'TASKS_WAITING' })
    gate.resolve()
    await Promise.all(waiting)
    await line.next(() => Promise.reject(new Error('one that fails'))).catch(() => {})
    expect(await line.next(() => Promise.resolve('taken'))).toBe('taken')
  })
})

describe('a constellation that registered for one device', () => {
  it('gives tasks to that one only [TARGET_OUT_OF_SCOPE]', async () => {
    await using server = await startTestServer({ agents: [scriptedAgent] })
    await WireClient.register(server.url, OPERATOR_KEY, { client_id: 'a' })
    await WireClient.register(server.url, OPERATOR_KEY, { client_id: 'b' })
    const client = await WireClient.register(server.url, OPERATOR_KEY, { ...constellation, target_id: 'a' })
    for (const target of ['b', 'absent']) {
      client.send({
        type: 'task',
        client_type: 'constellation',
        target_id: target,
        session_id: `to-${target}`,
        request: 'nothing',
      })
      expect(await client.next()).toMatchObject({ type: 'error', error: 'Not authorized to give tasks to this device' })
      expect(await client.next()).toMatchObject({ type: 'task_end', session_id: `to-${target}` })
    }
    client.send({ type: 'task', client_type: 'constellation', target_id: 'a', session_id: 'to-a', request: 'nothing' })
    expect(await client.next()).toMatchObject({ type: 'heartbeat', session_id: 'to-a' })
    expect((await server.api('/api/sessions')).body['sessions']).toMatchObject([{ session_id: 'to-a' }])
  })
})
