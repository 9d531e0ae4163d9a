import { CommandsOutcome, Device, DeviceList, RunCommands, ToolList } from '@orrery/aip/api'
import { z } from 'zod'
import { operatorTask } from '../sessions/task.js'
import { toCommand } from './command-input.js'
import type { App, HttpContext } from './context.js'

const DeviceParams = z.object({ id: z.string() })

/** Devices, their tools, and commands that are run at once. */
export function deviceRoutes(app: App, { devices, sessions }: HttpContext): void {
  app.get('/api/devices', { schema: { summary: 'Devices that are or were online', response: { 200: DeviceList } } }, () => ({
    devices: devices.list(),
  }))

  app.get(
    '/api/devices/:id',
    { schema: { summary: 'One device', params: DeviceParams, response: { 200: Device } } },
    ({ params }) => devices.get(params.id),
  )

  app.get(
    '/api/devices/:id/tools',
    { schema: { summary: 'The tools of a device', params: DeviceParams, response: { 200: ToolList } } },
    async ({ params }) => ({ tools: await devices.tools(params.id) }),
  )

  app.post(
    '/api/devices/:id/commands',
    {
      schema: {
        summary: 'Runs commands on a device and waits for their results',
        params: DeviceParams,
        body: RunCommands,
        response: { 200: CommandsOutcome },
      },
    },
    async ({ params, body }) => {
      devices.requireOnline(params.id)
      const timeout = body.timeout_ms === undefined ? {} : { timeout_ms: body.timeout_ms }
      const task = operatorTask(params.id, { kind: 'commands', commands: body.commands.map(toCommand), ...timeout })
      const { session } = await sessions.executeTask(task)
      sessions.start(session)
      const { status, result, error } = await sessions.ended(session)
      return { session_id: task.sessionId, status, results: CommandsOutcome.shape.results.catch([]).parse(result ?? []), error }
    },
  )
}
