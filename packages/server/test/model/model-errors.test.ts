import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../../../test/support/manual-clock.js'
import {
  ERRORS_OF_PROVIDERS as SAYS,
  startScriptedModel,
  type Reply,
  type Script,
} from '../../../../test/support/scripted-model.js'
import { MODEL_KEY, startModelRig, tool, type RigOptions } from '../support/model-rig.js'

const OPENAI = { ORRERY_MODEL: 'scripted', OPENAI_BASE_URL: 'MODEL_URL/v1', OPENAI_API_KEY: MODEL_KEY }
const ANTHROPIC = { ORRERY_MODEL: 'anthropic/scripted', ANTHROPIC_BASE_URL: 'MODEL_URL', ANTHROPIC_API_KEY: MODEL_KEY }
const OLLAMA = { ORRERY_MODEL: 'ollama/tiny', OLLAMA_HOST: 'MODEL_URL' }
/** No second chances, so that no test waits. */
const ONCE = { retries: 0 }

describe('a model that cannot be used ends the task as failed, and the message names the setting', () => {
  it.each<[string, Record<string, string>, Reply, RegExp]>([
    ['a wrong key', OPENAI, SAYS.wrongKey, /refused the key: check OPENAI_API_KEY \(401 Incorrect API key/],
    ['a wrong key of Anthropic', ANTHROPIC, SAYS.wrongKey, /refused the key: check ANTHROPIC_API_KEY/],
    [
      'an unknown model',
      OPENAI,
      SAYS.unknownModel,
      /no model 'scripted' at http.*check ORRERY_MODEL, and the address in OPENAI_BASE_URL/,
    ],
    [
      'an unknown model of Ollama',
      OLLAMA,
      SAYS.unknownModel,
      /no model 'tiny'.*check ORRERY_MODEL, and the address in OLLAMA_HOST/,
    ],
    ['a rate limit', OPENAI, SAYS.rateLimit, /takes no more requests.*OPENAI_API_KEY \(429/],
    ['an empty account', OPENAI, { status: 429, error: 'insufficient_quota' }, /the account of the key in OPENAI_API_KEY/],
    ['no support for tools', OLLAMA, SAYS.noTools, /'tiny' cannot call tools: name another in ORRERY_MODEL/],
    [
      'a context that is too long',
      OPENAI,
      SAYS.contextTooLong,
      /does not fit the window of 'scripted': set model.context_tokens \(now 32000\)/,
    ],
    [
      'a context that is too long, of Anthropic',
      ANTHROPIC,
      { status: 400, error: 'prompt is too long: 210000 tokens > 200000 maximum' },
      /set model.context_tokens/,
    ],
    ['a defect of the endpoint', OPENAI, SAYS.internal, /fails: try later, or check OPENAI_BASE_URL \(500/],
    ['a stream that is cut in the middle', OPENAI, { cut: 'I will now' }, /stops in the middle of its answers; model.retries/],
    ['a stream of Anthropic that is cut', ANTHROPIC, { cut: 'I will now' }, /stops in the middle/],
    [
      'an error in the middle of a stream',
      ANTHROPIC,
      { broken: 'I will', error: 'Overloaded' },
      /fails: try later, or check ANTHROPIC_BASE_URL/,
    ],
    ['a filtered answer', OPENAI, { text: '', finish: 'filtered' }, /its provider filtered the answer/],
    ['something else that it does not like', OPENAI, { status: 422, error: 'strange' }, /refused the request: 422 strange/],
  ])('%s', async (_case, env, reply, error) => {
    await using rig = await startModelRig({ env, script: [reply], config: ONCE })
    expect(await rig.run('do it')).toMatchObject({ status: 'failed', error: expect.stringMatching(error) as string })
  })

  it('an endpoint that is not there', async () => {
    const gone = await startScriptedModel([])
    await gone[Symbol.asyncDispose]()
    await using rig = await startModelRig({ env: { ...OPENAI, OPENAI_BASE_URL: `${gone.url}/v1` }, script: [], config: ONCE })
    expect((await rig.run('do it'))['error']).toMatch(/No model answers at http.*is OPENAI_BASE_URL right\? \(ECONNREFUSED\)/)
  })

  it('a port that no program may ask', async () => {
    await using rig = await startModelRig({
      env: { ...OPENAI, OPENAI_BASE_URL: 'http://127.0.0.1:9/v1' },
      script: [],
      config: ONCE,
    })
    expect((await rig.run('do it'))['error']).toMatch(/No model answers at .*OPENAI_BASE_URL right\? \(Cannot connect/)
  })

  it('an address that is not that of the API', async () => {
    await using rig = await startModelRig({ env: { ...OPENAI, OPENAI_BASE_URL: 'MODEL_URL/api' }, script: [], config: ONCE })
    expect((await rig.run('do it'))['error']).toMatch(/the address in OPENAI_BASE_URL/)
  })

  it('an endpoint that gives no sign', async () => {
    const clock = new ManualClock()
    await using rig = await startModelRig({ env: OPENAI, script: ['silence'], config: { ...ONCE, timeout_s: 90 }, clock })
    const id = await rig.start('do it')
    await rig.model.asked(1)
    await clock.advance(90_000)
    await rig.server.events(id)
    const { body } = await rig.server.api(`/api/sessions/${id}`)
    expect(body).toMatchObject({ status: 'failed', error: expect.stringMatching(/no sign for 90 s; model.timeout_s/) as string })
  })
})

/** A rig whose clock is moved on by `steps`, each after one more request has come. */
async function runWithWaits(
  options: RigOptions & { script: Script },
  steps: number[],
): Promise<{ session: unknown; log: string; requests: number }> {
  const clock = new ManualClock()
  await using rig = await startModelRig({ ...options, clock })
  const id = await rig.start('do it')
  for (const [index, ms] of steps.entries()) {
    await rig.model.asked(index + 1)
    // The wait begins once the answer has been read.
    while (!clock.waits.includes(ms)) await new Promise((resolve) => setImmediate(resolve))
    await clock.advance(ms)
  }
  await rig.server.events(id)
  const { body } = await rig.server.api(`/api/sessions/${id}`)
  return { session: body, log: rig.server.log.lines.join('\n'), requests: rig.model.requests.length }
}

describe('what may pass', () => {
  it('is tried again, with longer and longer waits, or as long as the endpoint asks for', async () => {
    const script = [SAYS.internal, { cut: 'I' }, SAYS.rateLimit, { broken: 'x', error: 'rate limit' }, { text: 'done' }]
    const { session, log } = await runWithWaits({ script }, [1000, 2000, 7000, 8000])
    expect(session).toMatchObject({ status: 'completed', result: 'done' })
    expect(log).toContain('Repeating in 7 s (3 of 4)')
  })

  it('is reported to those who watch', async () => {
    const clock = new ManualClock()
    await using rig = await startModelRig({ clock, script: [SAYS.rateLimit, { text: 'done' }] })
    const told: unknown[] = []
    rig.server.server.onSessionEvent((event) => void (event.type === 'progress' && told.push(event)))
    const id = await rig.start('do it')
    while (!clock.waits.includes(7000)) await new Promise((resolve) => setImmediate(resolve))
    await clock.advance(7000)
    await rig.server.events(id)
    expect(told).toMatchObject([
      { seq: null, data: { call_id: null, message: expect.stringContaining('Repeating in 7 s') as string } },
    ])
  })

  it('fails after the last retry', async () => {
    const { session, requests } = await runWithWaits({ script: [SAYS.internal], config: { retries: 2 } }, [1000, 2000])
    expect(session).toMatchObject({ status: 'failed', error: expect.stringMatching(/fails: try later/) as string })
    expect(requests).toBe(3)
  })

  it('is not waited for when the task is cancelled', async () => {
    await using rig = await startModelRig({ script: ['silence'] })
    const id = await rig.start('do it')
    await rig.model.asked(1)
    await rig.server.api(`/api/sessions/${id}/cancel`, {})
    await rig.server.events(id)
    expect((await rig.server.api(`/api/sessions/${id}`)).body).toMatchObject({ status: 'cancelled' })
  })
})

describe('what the endpoint does not take is changed', () => {
  it('a conversation that is too long is halved until it fits', async () => {
    const long = 'x'.repeat(30_000)
    await using rig = await startModelRig({
      script: ({ turn, text }) =>
        turn < 4 ? { calls: [{ tool: 'read' }] } : text.length > 40_000 ? SAYS.contextTooLong : { text: `read ${turn}` },
      tools: [tool('read')],
      answers: { read: () => long },
      config: { context_tokens: 100_000 },
    })
    expect(await rig.run('read it all')).toMatchObject({ status: 'completed', result: 'read 4' })
  })

  it('images are left out for a model that takes none', async () => {
    await using rig = await startModelRig({
      script: ({ turn, body }) =>
        turn === 0
          ? { calls: [{ tool: 'shoot' }] }
          : JSON.stringify(body).includes('image_url')
            ? SAYS.noImages
            : { text: 'blind' },
      tools: [tool('shoot')],
      answers: { shoot: () => 'data:image/png;base64,aGk=' },
    })
    expect(await rig.run('look')).toMatchObject({ status: 'completed', result: 'blind' })
    expect(rig.model.requests.at(-1)?.text).toContain('[image left out]')
  })

  it('the other model is asked, when there is one, and from then on', async () => {
    await using other = await startScriptedModel([{ calls: [{ tool: 'echo' }] }, { text: 'done by the other' }])
    await using rig = await startModelRig({
      script: [SAYS.wrongKey],
      config: { fallback: { name: 'spare', provider: 'openai-compatible', base_url: `${other.url}/v1` } },
    })
    expect(await rig.run('do it')).toMatchObject({ status: 'completed', result: 'done by the other' })
    expect([rig.model.requests.length, other.requests.length]).toEqual([1, 2])
    expect(rig.server.log.lines.join('\n')).toContain('From now on this session asks spare')
  })
})

describe('a session may use so much and no more', () => {
  const forever: Script = [{ calls: [{ tool: 'echo' }], usage: { input: 1000, output: 500 } }]
  it.each([
    ['steps', { limits: { steps: 3 } }, /stopped after 3 steps; model.limits.steps sets the limit/, 3],
    ['tokens', { limits: { tokens: 2000 } }, /stopped after 3000 tokens; model.limits.tokens/, 2],
    [
      'money',
      { limits: { cost_usd: 0.02 }, prices: { input: 5, output: 10 } },
      /stopped after \$0.0200; model.limits.cost_usd/,
      2,
    ],
  ])('%s', async (_case, config, error, requests) => {
    await using rig = await startModelRig({ script: forever, config })
    expect(await rig.run('continue')).toMatchObject({ status: 'failed', error: expect.stringMatching(error) as string })
    expect(rig.model.requests).toHaveLength(requests)
  })

  it('time', async () => {
    const clock = new ManualClock()
    await using rig = await startModelRig({
      clock,
      script: async () => {
        await clock.advance(40_000)
        return { calls: [{ tool: 'echo' }] }
      },
      config: { limits: { time_s: 60 } },
    })
    expect((await rig.run('continue'))['error']).toMatch(/stopped after 80 s; model.limits.time_s/)
  })
})
