import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LIMITS } from '@orrery/aip'
import { resolveModel } from '@orrery/server'
import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../../../test/support/manual-clock.js'
import { startTestServer } from '../../../../test/support/test-server.js'
import type { Json } from '../../../../test/support/wire-client.js'
import { withoutThoughts } from '../../src/agents/model/thoughts.js'
import { connectDevice, startModelRig, tool } from '../support/model-rig.js'
import { caseText, deltaStream } from './cases/read-case.js'

const DEVICE = { tools: [tool('list_disks')], answers: { list_disks: () => 'sda' } }
const CALL = { tool_calls: [{ index: 0, id: 'c1', type: 'function', function: { name: 'list_disks', arguments: '{}' } }] }

function assistants(body: Json | undefined): Json[] {
  return ((body?.['messages'] ?? []) as Json[]).filter(({ role }) => role === 'assistant')
}

/** An endpoint that refuses a call that comes back without its reasoning, as two families of models do. */
const strict =
  (says: { raw: string }, key: string) =>
  ({ body, turn }: { body: Json; turn: number }) => {
    if (turn === 0) return says
    return assistants(body).every((message) => key in message)
      ? { text: 'one disk' }
      : { raw: JSON.stringify(JSON.parse(caseText('reasoning-not-given-back.json')).body), status: 400 }
  }

describe('the reasoning of a turn', () => {
  it('goes back with its call, as it came', async () => {
    const script = strict({ raw: caseText('reasoning-not-given-back.sse') }, 'reasoning_content')
    await using rig = await startModelRig({ ...DEVICE, script })
    expect(await rig.run('which disks?')).toMatchObject({ status: 'completed', result: 'one disk' })
    expect(assistants(rig.model.requests[1]?.body)).toMatchObject([
      { reasoning_content: 'I should look at the disks.', tool_calls: [{ id: 'c1' }] },
    ])
  })

  it('goes back under the name that the endpoint uses, with its details', async () => {
    const details = [
      { type: 'reasoning.text', index: 0, text: 'I should ', format: 'x' },
      { type: 'reasoning.text', index: 0, text: 'look.', signature: 'abc' },
    ]
    const deltas = [
      { reasoning: 'I should ', reasoning_details: details.slice(0, 1) },
      { reasoning: 'look.', reasoning_details: details.slice(1) },
      CALL,
    ]
    await using rig = await startModelRig({ ...DEVICE, script: [deltaStream(deltas, 'tool_calls'), { text: 'one disk' }] })
    expect(await rig.run('which disks?')).toMatchObject({ status: 'completed', result: 'one disk' })
    const [message] = assistants(rig.model.requests[1]?.body)
    expect(message).toMatchObject({
      reasoning: 'I should look.',
      reasoning_details: [{ type: 'reasoning.text', index: 0, text: 'I should look.', signature: 'abc', format: 'x' }],
    })
    expect(message).not.toHaveProperty('reasoning_content')
  })

  it('goes back when the answer came as a whole too', async () => {
    const message = { role: 'assistant', content: null, reasoning_content: 'Disks.', tool_calls: [{ ...CALL.tool_calls[0] }] }
    const whole = { id: 'x', choices: [{ index: 0, message, finish_reason: 'tool_calls' }] }
    const script = [{ raw: JSON.stringify(whole), type: 'application/json' }, { text: 'one disk' }]
    await using rig = await startModelRig({ ...DEVICE, script, config: { stream: false } })
    expect(await rig.run('which disks?')).toMatchObject({ status: 'completed' })
    expect(assistants(rig.model.requests[1]?.body)).toMatchObject([{ reasoning_content: 'Disks.' }])
  })

  it('is given to no endpoint that sends none, nor to one that refuses it', async () => {
    await using plain = await startModelRig({ ...DEVICE, script: [{ calls: [{ tool: 'list_disks' }] }, { text: 'done' }] })
    await plain.run('which disks?')
    expect(JSON.stringify(plain.model.requests[1]?.body)).not.toContain('reasoning')
    await using averse = await startModelRig({
      ...DEVICE,
      script: ({ body, turn }) => {
        if (turn === 0) return { raw: caseText('reasoning-not-given-back.sse') }
        return JSON.stringify(body).includes('reasoning_content')
          ? { status: 400, error: "property 'reasoning_content' is unsupported" }
          : { text: 'done' }
      },
    })
    expect(await averse.run('which disks?')).toMatchObject({ status: 'completed', result: 'done' })
  })

  it('goes back with every request, also to an endpoint that never finds it', async () => {
    const missing = { raw: JSON.stringify(JSON.parse(caseText('reasoning-not-given-back.json')).body), status: 400 }
    await using rig = await startModelRig({ ...DEVICE, script: [{ raw: caseText('reasoning-not-given-back.sse') }, missing] })
    expect((await rig.run('which disks?'))['error']).toMatch(/refused the request: 400 reasoning_content is missing/)
    for (const { body } of rig.model.requests.slice(1))
      expect(assistants(body)).toMatchObject([{ reasoning_content: 'I should look at the disks.' }])
  })

  it('is empty for a call of another model, where the endpoint requires some', async () => {
    const script = strict(deltaStream([CALL], 'tool_calls') as { raw: string }, 'reasoning_content')
    await using rig = await startModelRig({ ...DEVICE, script })
    expect(await rig.run('which disks?')).toMatchObject({ status: 'completed', result: 'one disk' })
    expect(assistants(rig.model.requests.at(-1)?.body)).toMatchObject([{ reasoning_content: '' }])
  })

  it('goes back after a restart of the server, because it is recorded', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'orrery-reasoning-'))
    const clock = new ManualClock()
    let dying = true
    try {
      await using rig = await startModelRig({
        ...DEVICE,
        clock,
        server: { dataDir },
        script: ({ turn }) =>
          turn === 0 ? { raw: caseText('reasoning-not-given-back.sse') } : dying ? 'silence' : { text: 'one disk' },
      })
      const id = await rig.start('which disks?')
      await rig.model.asked(2)
      const stopped = rig.server.server.stop()
      await clock.advance(LIMITS.drainTime)
      await stopped
      dying = false
      const model = resolveModel({ ORRERY_MODEL: 'scripted', OPENAI_BASE_URL: `${rig.model.url}/v1` })
      await using next = await startTestServer({ dataDir, clock, ...(model === null ? {} : { model }) })
      await connectDevice(next.url, DEVICE, [])
      await next.events(id)
      expect((await next.api(`/api/sessions/${id}`)).body).toMatchObject({ status: 'completed', result: 'one disk' })
      expect(assistants(rig.model.requests.at(-1)?.body)).toMatchObject([{ reasoning_content: 'I should look at the disks.' }])
    } finally {
      rmSync(dataDir, { recursive: true })
    }
  })
})

describe('thoughts in the text', () => {
  it('are not part of the result', async () => {
    await using rig = await startModelRig({ script: [{ raw: caseText('thoughts-in-result.sse') }] })
    expect(await rig.run('two and two?')).toMatchObject({ status: 'completed', result: 'The answer is 4.' })
  })

  it('are not part of the result that finish has', async () => {
    const result = '<think>\nhm\n</think>\n\nfour'
    await using rig = await startModelRig({ script: [{ calls: [{ tool: 'finish', input: { status: 'completed', result } }] }] })
    expect(await rig.run('two and two?')).toMatchObject({ status: 'completed', result: 'four' })
  })

  it('are not an answer by themselves', async () => {
    await using rig = await startModelRig({ script: [{ text: '<think>still thinking' }, { text: 'four' }] })
    expect(await rig.run('two and two?')).toMatchObject({ status: 'completed', result: 'four' })
    expect(rig.model.requests).toHaveLength(2)
  })

  it('go back to the model as it wrote them', async () => {
    const text = '<think>\nlook first\n</think>\nI look.'
    await using rig = await startModelRig({ ...DEVICE, script: [{ text, calls: [{ tool: 'list_disks' }] }, { text: 'done' }] })
    await rig.run('which disks?')
    expect(assistants(rig.model.requests[1]?.body)).toMatchObject([{ content: text }])
  })

  it.each([
    ['<think>\na\n</think>\n\nb', 'b'],
    ['a\n</think>\n\nb', 'b'],
    ['Two and two, so four.</think>The answer is 4.', 'The answer is 4.'],
    ['<think></think><think>a</think>b', 'b'],
    ['<thinking>a</thinking>b', 'b'],
    ['<THINK>a</THINK>b', 'b'],
    ['<seed:think>a</seed:think>b', 'b'],
    ['[THINK]a[/THINK]b', 'b'],
    ['◁think▷a◁/think▷b', 'b'],
    ['<|START_THINKING|>a<|END_THINKING|><|START_RESPONSE|>b<|END_RESPONSE|>', 'b'],
    ['<|channel|>analysis<|message|>a<|end|><|start|>assistant<|channel|>final<|message|>b<|return|>', 'b'],
    ['<think>a', ''],
    ['The tag `</think>` ends thoughts.', 'The tag `</think>` ends thoughts.'],
    ['Write <think>x</think> around thoughts.', 'Write <think>x</think> around thoughts.'],
    ['no thoughts', 'no thoughts'],
  ])('%j is %j', (text, answer) => expect(withoutThoughts(text)).toBe(answer))
})
