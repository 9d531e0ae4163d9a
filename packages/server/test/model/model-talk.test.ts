import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../../../test/support/manual-clock.js'
import { startModelRig, tool, type ModelRig } from '../support/model-rig.js'
import type { Json } from '../../../../test/support/wire-client.js'

/** The session, once it asks. */
async function asking(rig: ModelRig, id: string): Promise<Json> {
  for (;;) {
    const { body } = await rig.server.api(`/api/sessions/${id}`)
    if (body['question'] !== null) return body['question'] as Json
  }
}

const ASKS = [{ calls: [{ tool: 'ask_user', input: { question: 'Really?' } }] }, { text: 'understood' }]

describe('a question of the agent', () => {
  it('is shown in the session, waits, and its answer reaches the model as the words of the user', async () => {
    await using rig = await startModelRig({ script: ASKS })
    const id = await rig.start('do it')
    const question = await asking(rig, id)
    expect(question).toMatchObject({ text: 'Really?' })
    const wrong = await rig.server.api(`/api/sessions/${id}/answer`, { text: 'yes', question_id: 'other' })
    expect([wrong.status, wrong.body['code']]).toEqual([409, 'NO_QUESTION'])
    const { status, body } = await rig.server.api(`/api/sessions/${id}/answer`, {
      text: 'yes',
      question_id: question['question_id'],
    })
    expect([status, body['question']]).toEqual([200, null])
    const events = await rig.server.events(id)
    expect(events.map(({ type }) => type)).toEqual([
      'accepted',
      'commands_sent',
      'results_received',
      'agent_step',
      'question',
      'answer',
      'agent_step',
      'agent_step',
      'ended',
    ])
    const last = (rig.model.requests[1]?.body['messages'] as Json[] | undefined)?.at(-1)
    expect(last).toMatchObject({ role: 'user' })
    expect(JSON.stringify(last)).toContain(JSON.stringify('The answer to "Really?":\nyes').slice(1, -1))
  })

  it('without an answer in time is reported to the model', async () => {
    const clock = new ManualClock()
    await using rig = await startModelRig({ script: ASKS, clock, config: { question_s: 60 } })
    const id = await rig.start('do it')
    await asking(rig, id)
    await clock.advance(60_000)
    await rig.server.events(id)
    expect(rig.model.requests[1]?.text).toContain('There was no answer')
    expect((await rig.server.api(`/api/sessions/${id}/answer`, { text: 'late' })).body['code']).toBe('SESSION_ENDED')
  })

  it('ends with the session', async () => {
    await using rig = await startModelRig({ script: ASKS })
    const id = await rig.start('do it')
    await asking(rig, id)
    await rig.server.api(`/api/sessions/${id}/cancel`, {})
    await rig.server.events(id)
    expect((await rig.server.api(`/api/sessions/${id}`)).body).toMatchObject({ status: 'cancelled', question: null })
  })
})

describe('a remark', () => {
  it('is heard before the next step, once, and is in the event log', async () => {
    const asked = Promise.withResolvers<void>()
    const said = Promise.withResolvers<void>()
    await using rig = await startModelRig({
      tools: [tool('echo')],
      script: async ({ turn }) => {
        if (turn === 0) {
          asked.resolve()
          await said.promise
        }
        return turn < 2 ? { calls: [{ tool: 'echo' }] } : { text: 'done' }
      },
    })
    const id = await rig.start('do it')
    await asked.promise
    const { status } = await rig.server.api(`/api/sessions/${id}/remark`, { text: 'leave the logs alone' })
    expect(status).toBe(200)
    said.resolve()
    const events = await rig.server.events(id)
    expect(events.find(({ type }) => type === 'remark')).toMatchObject({ data: { text: 'leave the logs alone', by: 'operator' } })
    const texts = rig.model.requests.map(({ text }) => text.split('The user adds: leave the logs alone').length - 1)
    expect(texts).toEqual([0, 1, 1])
  })

  it('that comes while the model ends is heard before the session does', async () => {
    const asked = Promise.withResolvers<void>()
    const said = Promise.withResolvers<void>()
    await using rig = await startModelRig({
      script: async ({ turn, text }) => {
        if (turn === 0) {
          asked.resolve()
          await said.promise
          return { calls: [{ tool: 'finish', input: { status: 'completed', result: 'done' } }] }
        }
        return { text: text.includes('and the cellar') ? 'the cellar too' : 'unheard' }
      },
    })
    const id = await rig.start('clean the house')
    await asked.promise
    await rig.server.api(`/api/sessions/${id}/remark`, { text: 'and the cellar' })
    said.resolve()
    await rig.server.events(id)
    expect((await rig.server.api(`/api/sessions/${id}`)).body).toMatchObject({ status: 'completed', result: 'the cellar too' })
  })

  it('is refused if no agent would get it', async () => {
    await using rig = await startModelRig({ script: [{ text: 'done' }] })
    const id = String((await rig.run('x'))['session_id'])
    expect((await rig.server.api(`/api/sessions/${id}/remark`, { text: 'hey' })).body['code']).toBe('SESSION_ENDED')
    expect((await rig.server.api('/api/sessions/none/remark', { text: 'hey' })).body['code']).toBe('SESSION_NOT_FOUND')
  })

  it('is refused by a workflow', async () => {
    await using rig = await startModelRig({ script: [], answers: { slow: () => ({ fail: 'again' }) } })
    const workflow = 'name: w\ndescription: x\nsteps: [{ id: a, tool: slow, retry: { times: 3, wait_ms: 60000 } }]\n'
    const { body } = await rig.server.api('/api/sessions', { device_id: 'd1', workflow })
    const answer = await rig.server.api(`/api/sessions/${String(body['session_id'])}/remark`, { text: 'hey' })
    expect([answer.status, answer.body['code']]).toEqual([409, 'SESSION_NOT_LISTENING'])
  })
})

describe('a plan in words', () => {
  it('is done step by step, each told by itself, and ends with what all steps gave', async () => {
    await using rig = await startModelRig({
      tools: [tool('type')],
      script: [
        { calls: [{ tool: 'type', input: { text: 'a' } }] },
        { calls: [{ tool: 'finish', input: { status: 'completed', result: 'typed a' } }] },
        { text: 'typed b' },
      ],
    })
    const plan = JSON.stringify({ task: 'Type the alphabet', steps: ['Type a', 'Type b'], object: 'draft.docx', close: true })
    const { status, body } = await rig.server.api('/api/sessions', { device_id: 'd1', workflow: plan })
    expect([status, body['request']]).toEqual([201, 'Type the alphabet'])
    const id = String(body['session_id'])
    await rig.server.events(id)
    expect((await rig.server.api(`/api/sessions/${id}`)).body).toMatchObject({
      status: 'completed',
      agent: 'model',
      result: 'typed a\n\ntyped b',
    })
    expect(rig.model.requests[0]?.text).toMatch(
      /The task as a whole: Type the alphabet\nIt is about: draft.docx\nDo step 1 of 2 now[\s\S]*Type a/,
    )
    expect(rig.model.requests[0]?.text).not.toContain('Type b')
    expect(rig.model.requests[2]?.text).toMatch(/Do step 2 of 2 now[\s\S]*Type b/)
  })

  it('ends as failed at the step that fails', async () => {
    await using rig = await startModelRig({
      script: [{ calls: [{ tool: 'finish', input: { status: 'failed', result: 'no keyboard' } }] }],
    })
    const { body } = await rig.server.api('/api/sessions', { device_id: 'd1', workflow: 'task: Type\nsteps: [Type a, Type b]\n' })
    const id = String(body['session_id'])
    await rig.server.events(id)
    expect((await rig.server.api(`/api/sessions/${id}`)).body).toMatchObject({
      status: 'failed',
      error: 'step 1 failed: no keyboard',
    })
    expect(rig.model.requests).toHaveLength(1)
  })
})
