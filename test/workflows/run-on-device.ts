import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseDeviceConfig, startDevice } from '@orrery/device'
import { DEVICE_KEY, startTestServer, type TestServer } from '../support/test-server.ts'
import type { Json } from '../support/wire-client.ts'

/** A server with a real device, whose shell runs everything, in a folder of its own. */
export interface WorkflowRig extends AsyncDisposable {
  server: TestServer
  /** Returns the folder of a device. @param id default: the first device */
  folderOf(id?: string): string
  /** Runs a workflow, by its text or name. @returns the session, ended */
  run(workflow: string, inputs?: Json, device?: string): Promise<Json>
}

/**
 * Starts a server and devices.
 * @param config of each device, by its id; their shells are full
 * @param options of the server
 */
export async function startWorkflowRig(
  config: Readonly<Record<string, Json>> = { laptop: {} },
  options: Parameters<typeof startTestServer>[0] = {},
): Promise<WorkflowRig> {
  const folder = mkdtempSync(join(tmpdir(), 'orrery-workflows-'))
  const first = Object.keys(config)[0] ?? ''
  const folderOf = (id: string = first): string => join(folder, id)
  for (const id of Object.keys(config)) mkdirSync(folderOf(id))
  const server = await startTestServer(options)
  const devices = Object.entries(config).map(([clientId, own]) =>
    startDevice({
      serverUrl: `${server.url.replace('http', 'ws')}/ws`,
      token: DEVICE_KEY,
      clientId,
      cwd: folderOf(clientId),
      config: parseDeviceConfig(
        JSON.stringify({ shell: 'full', roots: [folderOf(clientId)], policy: [{ tool: '*', do: 'allow' }], ...own }),
        'device.jsonc',
      ),
    }),
  )
  await Promise.all(devices.map(({ registered }) => registered))
  return {
    server,
    folderOf,
    async run(workflow, inputs = {}, device = first) {
      const { status, body } = await server.api('/api/sessions', { device_id: device, workflow, inputs, file: 'my.yaml' })
      if (status !== 201) throw new Error(String(body['detail']))
      await server.events(String(body['session_id']))
      return (await server.api(`/api/sessions/${String(body['session_id'])}`)).body
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(devices.map((device) => device.stop()))
      await server[Symbol.asyncDispose]()
      rmSync(folder, { recursive: true })
    },
  }
}
