import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LIMITS } from '@orrery/aip'
import { resolveModel } from '@orrery/server'
import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../../../test/support/manual-clock.js'
import { startTestServer } from '../../../../test/support/test-server.js'
import type { Json } from '../../../../test/support/wire-client.js'
import { connectDevice, startModelRig, tool, type Received } from '../support/model-rig.js'

const look = (name: string): Json => tool(name, { tool_key: `data_collection::${name}`, tool_type: 'data_collection' })

/** The marks of data are new in each prompt. */
function withoutMarks(body: unknown): unknown {
  return JSON.parse(JSON.stringify(body ?? null).replaceAll(/data [0-9a-f]{32}>/g, 'data>'))
}

describe('after a restart of the server', () => {
  it('the model is asked exactly what it was asked before, whatever has happened: roles, looks, remarks, questions', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'orrery-restart-'))
    const device = {
      platform: 'windows',
      tools: (agent: string, type: string) =>
        type === 'data_collection'
          ? [look('capture_window_screenshot'), look('get_app_window_controls_target_info')]
          : [tool(agent === 'AppAgent' ? 'click_input' : 'select_application_window')],
      answers: {
        select_application_window: () => ({ root_name: 'notepad.exe' }),
        capture_window_screenshot: () => 'data:image/png;base64,aGk=',
      },
    }
    const asked = Promise.withResolvers<void>()
    const remarked = Promise.withResolvers<void>()
    let dying = true
    const clock = new ManualClock()
    try {
      await using rig = await startModelRig({
        ...device,
        clock,
        server: { dataDir },
        script: async ({ turn }) => {
          if (turn === 0)
            return { text: 'First.', calls: [{ tool: 'select_application_window', input: { id: '1', name: 'Notes' } }] }
          if (turn === 1) {
            await remarked.promise
            return {
              calls: [
                { tool: 'ask_user', input: { question: 'Which?' } },
                { tool: 'click_input', input: { id: '2' } },
              ],
            }
          }
          if (turn === 2) return { calls: [{ tool: 'click_input', input: { id: '3' } }] }
          if (!dying) return { text: 'done' }
          asked.resolve()
          return 'silence'
        },
      })
      const id = await rig.start('Write it down')
      await rig.model.asked(2)
      await rig.server.api(`/api/sessions/${id}/remark`, { text: 'in blue' })
      remarked.resolve()
      for (;;) {
        const { body } = await rig.server.api(`/api/sessions/${id}`)
        if (body['question'] !== null) break
      }
      await rig.server.api(`/api/sessions/${id}/answer`, { text: 'the second' })
      await asked.promise
      const stopped = rig.server.server.stop()
      await clock.advance(LIMITS.drainTime)
      await stopped
      dying = false
      const model = resolveModel({ ORRERY_MODEL: 'scripted', OPENAI_BASE_URL: `${rig.model.url}/v1` })
      await using next = await startTestServer({ dataDir, clock, ...(model === null ? {} : { model }) })
      const received: Received[] = []
      await connectDevice(next.url, device, received)
      await next.events(id)
      expect((await next.api(`/api/sessions/${id}`)).body).toMatchObject({
        status: 'completed',
        result: 'done',
        usage: { turns: 4 },
      })
      const [before, after] = rig.model.requests.slice(-2)
      expect(withoutMarks(after?.body)).toEqual(withoutMarks(before?.body))
      expect(after?.turn).toBe(3)
      expect(after?.text).toMatch(/The answer to "Which\?":\nthe second\nThe user adds: in blue/)
      // All that was recorded was taken from the log: nothing ran twice.
      expect(received).toEqual([])
    } finally {
      rmSync(dataDir, { recursive: true })
    }
  })
})
