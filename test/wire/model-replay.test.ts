import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { resolveModel } from '@orrery/server'
import { describe, expect, it } from 'vitest'
import { planIn } from '../support/plan-agent.js'
import { startScriptedModel, type Reply } from '../support/scripted-model.js'
import { startTestServer } from '../support/test-server.js'
import type { Difference } from './comparison.js'
import { SERVER_DELIBERATE, deliberately } from './deliberate.js'
import { asObject, readRecording, recordingNames, type Line } from './recording.js'
import { ServerPlayer } from './server-player.js'

const RECORDED_KEY = 'secret-key'

/** Recordings in which a model drove a Linux device to the end of its task. */
const DRIVEN = recordingNames().filter((name) => {
  const lines = readRecording(name)
  return lines.some(isCommand) && lines.some(({ dir, raw }) => dir === 's2c' && asObject(raw)['type'] === 'task_end')
})

function isCommand({ dir, raw }: Line): boolean {
  const { type, agent_name: agent, actions } = asObject(raw)
  return dir === 's2c' && type === 'command' && agent === 'LinuxAgent' && actionsOf(actions).some((name) => name !== 'list_tools')
}

function actionsOf(actions: unknown): unknown[] {
  return Array.isArray(actions) ? actions.map((action: Record<string, unknown>) => action['tool_name']) : []
}

/** The recorded server sends an empty batch with the model's last answer; Orrery ends the task without asking the device for nothing. */
function withoutEmptyBatches(lines: readonly Line[]): Line[] {
  const empty = new Set(
    lines.map(({ raw }) => asObject(raw)).flatMap((message) => (isEmpty(message['actions']) ? [message['response_id']] : [])),
  )
  return lines.filter(({ raw }) => {
    const { response_id: id, prev_response_id: answered } = asObject(raw)
    return !empty.has(id) && !empty.has(answered)
  })
}

/** What a model says is text. */
function asText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function isSaidAsText({ type, recorded, played }: Difference): boolean {
  return type === 'task_end' && asText(recorded) === played
}

function isEmpty(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0
}

describe('a model, to existing Linux devices that play a recording', () => {
  it.each(DRIVEN)('has in %s the device do what was recorded', async (name) => {
    const folder = mkdtempSync(join(tmpdir(), 'orrery-wire-'))
    const lines = withoutEmptyBatches(readRecording(name))
    await using model = await startScriptedModel(({ text, turn }): Reply => {
      const { steps, final } = planIn(text)
      const calls = steps.map(({ actions }) =>
        actions.flatMap(({ function: tool, arguments: input = {} }) => (tool ? [{ tool, input }] : [])),
      )
      const step = calls.filter((actions) => actions.length > 0)[turn]
      if (step !== undefined) return { calls: step }
      if (final.status !== 'FAIL') return { text: asText(final.result) }
      return { calls: [{ tool: 'finish', input: { status: 'failed', result: asText(final.result) } }] }
    })
    const settings = resolveModel({ ORRERY_MODEL: 'scripted', OPENAI_BASE_URL: `${model.url}/v1`, OPENAI_API_KEY: 'key' })
    try {
      const devicesFile = join(folder, 'devices.json')
      const device = { tool_arguments: { execute_command: { api_key: 'rig-mcp-key' } } }
      const ids = new Set(lines.map(({ raw }) => asText(asObject(raw)['client_id'] ?? '')))
      writeFileSync(devicesFile, JSON.stringify({ devices: Object.fromEntries([...ids].map((id) => [id, device])) }))
      await using server = await startTestServer({
        operatorKey: RECORDED_KEY,
        devicesFile,
        ...(settings === null ? {} : { model: settings }),
      })
      const differences = await new ServerPlayer(server.url, RECORDED_KEY).play(lines)
      const others = differences.filter(
        (difference) => !isSaidAsText(difference) && deliberately(difference, SERVER_DELIBERATE) === undefined,
      )
      expect(others).toEqual([])
      expect(model.requests.length).toBeGreaterThan(0)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
