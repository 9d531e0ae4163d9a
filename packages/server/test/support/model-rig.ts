import type { ModelConfig } from '../../src/config/model-config.js'
import { resolveModel } from '@orrery/server'
import { startScriptedModel, type Script, type ScriptedModel } from '../../../../test/support/scripted-model.js'
import { DEVICE_KEY, startTestServer, type TestServer } from '../../../../test/support/test-server.js'
import { WireClient, type Json } from '../../../../test/support/wire-client.js'
import type { ManualClock } from '../../../../test/support/manual-clock.js'

/** What a device answers a tool with: a result, or `{ fail: text }`, from its arguments. */
export type Answer = (parameters: Json) => unknown

/** A tool of the scripted device. */
export function tool(name: string, more: Json = {}): Json {
  return {
    tool_key: `action::${name}`,
    tool_name: name,
    title: null,
    namespace: 'Test',
    tool_type: 'action',
    description: `Does ${name}`,
    input_schema: { type: 'object', properties: { text: { type: 'string' } } },
    output_schema: null,
    meta: null,
    annotations: null,
    ...more,
  }
}

/** One command as the device got it, with what it came with. */
export interface Received {
  agent: string
  process: string
  root: string
  tools: { name: string; parameters: Json }[]
}

/** A model, a server that uses it, and a device that answers by tool name. */
export interface ModelRig extends AsyncDisposable {
  model: ScriptedModel
  server: TestServer
  device: WireClient
  /** The batches that the device got, tool lists left out. */
  received: Received[]
  /** Runs a request until it ends. */
  run(request: string): Promise<Json>
  start(request: string): Promise<string>
}

export interface RigOptions {
  script: Script
  /** The device's tools with their answers; a list may depend on the agent that asks. */
  tools?: Json[] | ((agent: string, type: string) => Json[])
  answers?: Record<string, Answer>
  platform?: string
  env?: Record<string, string>
  config?: ModelConfig
  clock?: ManualClock
  server?: Parameters<typeof startTestServer>[0]
}

/** The secret of the scripted endpoint. */
export const MODEL_KEY = 'sk-scripted-secret'

export async function startModelRig(options: RigOptions): Promise<ModelRig> {
  const model = await startScriptedModel(options.script)
  const env = options.env ?? { ORRERY_MODEL: 'scripted', OPENAI_BASE_URL: `${model.url}/v1`, OPENAI_API_KEY: MODEL_KEY }
  const settings = resolveModel(
    Object.fromEntries(Object.entries(env).map(([name, value]) => [name, value.replace('MODEL_URL', model.url)])),
    options.config,
  )
  if (settings === null) throw new Error('no model in the rig')
  const server = await startTestServer({
    model: settings,
    ...(options.clock === undefined ? {} : { clock: options.clock }),
    ...options.server,
  })
  const received: Received[] = []
  const device = await connectDevice(server.url, options, received)
  const start = async (request: string): Promise<string> => {
    const { status, body } = await server.api('/api/sessions', { device_id: 'd1', request })
    if (status !== 201) throw new Error(JSON.stringify(body))
    return String(body['session_id'])
  }
  return {
    model,
    server,
    device,
    received,
    start,
    async run(request) {
      const id = await start(request)
      await server.events(id)
      return (await server.api(`/api/sessions/${id}`)).body
    },
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]()
      await model[Symbol.asyncDispose]()
    },
  }
}

/** Connects the scripted device; what it is sent is added to `received`. */
export async function connectDevice(url: string, options: Omit<RigOptions, 'script'>, received: Received[]): Promise<WireClient> {
  const platform = options.platform ?? 'linux'
  const device = await WireClient.register(url, DEVICE_KEY, {
    client_id: 'd1',
    metadata: { platform, system_info: { device_id: 'd1', platform } },
  })
  void serveDevice(device, options, received).catch(() => {})
  return device
}

async function serveDevice(device: WireClient, options: Omit<RigOptions, 'script'>, received: Received[]): Promise<void> {
  const { tools = [tool('echo')], answers = {} } = options
  for (;;) {
    const message = await device.next()
    if (message['type'] !== 'command') continue
    const actions = message['actions'] as Json[]
    const agent = String(message['agent_name'])
    const named = actions.map((action) => ({ name: String(action['tool_name']), parameters: action['parameters'] as Json }))
    if (named[0]?.name !== 'list_tools')
      received.push({ agent, process: String(message['process_name']), root: String(message['root_name']), tools: named })
    let failed = false
    const results = actions.map((action, index) => {
      const { name = '', parameters = {} } = named[index] ?? {}
      const value =
        name === 'list_tools'
          ? typeof tools === 'function'
            ? tools(agent, String(parameters['tool_type']))
            : parameters['tool_type'] === 'action'
              ? tools
              : []
          : (answers[name] ?? (() => 'ok'))(parameters)
      const status = failed ? 'skipped' : isFailure(value) ? 'failure' : 'success'
      failed ||= status === 'failure'
      return {
        status,
        error:
          status === 'failure' && isFailure(value)
            ? value.fail
            : status === 'skipped'
              ? 'Skipped due to previous failure.'
              : null,
        result: status === 'success' ? value : null,
        call_id: action['call_id'],
      }
    })
    device.send({
      type: 'command_results',
      session_id: message['session_id'],
      prev_response_id: message['response_id'],
      action_results: results,
    })
  }
}

function isFailure(value: unknown): value is { fail: string } {
  return typeof value === 'object' && value !== null && 'fail' in value
}
