import { describe, expect, it } from 'vitest'
import type { Json } from '../../../../test/support/wire-client.js'
import type { ModelConfig } from '../../src/config/model-config.js'
import { MODEL_KEY, startModelRig, tool } from '../support/model-rig.js'

const OPENAI = { ORRERY_MODEL: 'scripted', OPENAI_BASE_URL: 'MODEL_URL/v1', OPENAI_API_KEY: MODEL_KEY }
const ANTHROPIC = { ORRERY_MODEL: 'anthropic/scripted', ANTHROPIC_BASE_URL: 'MODEL_URL', ANTHROPIC_API_KEY: MODEL_KEY }
const PROVIDERS: [string, Record<string, string>, ModelConfig][] = [
  ['an OpenAI-compatible endpoint', OPENAI, {}],
  ['an OpenAI-compatible endpoint that does not stream', OPENAI, { stream: false }],
  ['OpenAI', OPENAI, { provider: 'openai' }],
  ['OpenAI, not streamed', OPENAI, { provider: 'openai', stream: false }],
  ['Anthropic', ANTHROPIC, {}],
  ['Anthropic, not streamed', ANTHROPIC, { stream: false }],
  ['Ollama', { ORRERY_MODEL: 'ollama/scripted', OLLAMA_HOST: 'MODEL_URL' }, {}],
]

describe('a request in words', () => {
  it.each(PROVIDERS)('is done with the tools of the device, turn by turn, with %s', async (_name, env, config) => {
    await using rig = await startModelRig({
      env,
      config,
      script: [
        {
          text: 'I look first.',
          calls: [
            { tool: 'disk', input: { text: '/' } },
            { tool: 'echo', input: { text: 'two' } },
          ],
        },
        { calls: [{ tool: 'finish', input: { status: 'completed', result: '40 % are used' } }] },
      ],
      tools: [tool('disk'), tool('echo')],
      answers: { disk: () => ({ used: 40 }), echo: ({ text }) => text },
    })
    const session = await rig.run('How full is the disk?')
    expect(session).toMatchObject({
      status: 'completed',
      agent: 'model',
      result: '40 % are used',
      usage: { turns: 2, input_tokens: 200, output_tokens: 20 },
    })
    expect(rig.received).toEqual([
      {
        agent: 'LinuxAgent',
        process: '',
        root: '',
        tools: [
          { name: 'disk', parameters: { text: '/' } },
          { name: 'echo', parameters: { text: 'two' } },
        ],
      },
    ])
    const [first, second] = rig.model.requests
    expect(first?.text).toContain('How full is the disk?')
    expect(first?.text).toContain('You are LinuxAgent')
    expect(first?.tools).toEqual(['finish', 'ask_user', 'disk', 'echo'])
    expect(second?.text).toMatch(/success\n<data \w+>\n\{"used":40\}\n<\/data/)
    expect(second?.text).toMatch(/success\n<data \w+>\ntwo\n<\/data/)
  })

  it('ends as completed with the answer, when the model just answers', async () => {
    await using rig = await startModelRig({ script: [{ text: 'Nothing to do.' }] })
    expect(await rig.run('hello')).toMatchObject({ status: 'completed', result: 'Nothing to do.' })
  })

  it('ends with what the model said besides, when it finishes without a result', async () => {
    await using rig = await startModelRig({ script: [{ text: 'All is well.', calls: [{ tool: 'finish', input: {} }] }] })
    expect(await rig.run('check')).toMatchObject({ status: 'completed', result: 'All is well.' })
  })

  it('ends as failed with the reason, when the model gives up', async () => {
    await using rig = await startModelRig({
      script: [{ calls: [{ tool: 'finish', input: { status: 'failed', result: 'there is no printer' } }] }],
    })
    expect(await rig.run('print it')).toMatchObject({ status: 'failed', result: null, error: 'there is no printer' })
  })

  it('tells the model of errors and skipped commands, and of calls that cannot be made', async () => {
    await using rig = await startModelRig({
      script: [
        {
          calls: [
            { tool: 'broken' },
            { tool: 'echo' },
            { tool: 'nonsense' },
            { tool: 'echo', input: '{"text": ' },
            { tool: 'finish', input: { result: 'x' } },
          ],
        },
        { text: 'done' },
      ],
      tools: [tool('broken'), tool('echo')],
      answers: { broken: () => ({ fail: 'no such file' }) },
    })
    expect(await rig.run('try')).toMatchObject({ status: 'completed', result: 'done' })
    expect(rig.received.flatMap(({ tools }) => tools.map(({ name }) => name))).toEqual(['broken', 'echo'])
    const text = rig.model.requests[1]?.text ?? ''
    for (const said of [
      /failure\n<data \w+>\nno such file\n/,
      /skipped\n<data \w+>\nSkipped due to previous failure/,
      /There is no tool 'nonsense'/,
      /The arguments are not a JSON object/,
      /Not finished: another call of this turn failed/,
    ])
      expect(text).toMatch(said)
  })

  it('tells the model that a command failed, also where an existing device reports its exit code as a success', async () => {
    await using rig = await startModelRig({
      script: [{ calls: [{ tool: 'sh' }, { tool: 'finish', input: { result: 'x' } }] }, { text: 'it failed' }],
      tools: [tool('sh')],
      answers: { sh: () => ({ success: false, exit_code: 2, stdout: '', stderr: 'no such folder' }) },
    })
    expect(await rig.run('list it')).toMatchObject({ status: 'completed', result: 'it failed' })
    const text = rig.model.requests[1]?.text ?? ''
    expect(text).toMatch(/failure\n<data \w+>\nthe program ended with exit code 2\n\{.*no such folder/)
    expect(text).toMatch(/Not finished: another call of this turn failed/)
  })

  it.each([
    ['a data URI, as existing screenshot tools give', 'data:image/png;base64,aGk='],
    [
      'MCP content',
      [
        { type: 'text', text: 'the screen' },
        { type: 'image', mimeType: 'image/png', data: 'aGk=' },
      ],
    ],
  ])('shows the model an image: %s', async (_case, result) => {
    await using rig = await startModelRig({
      script: [{ calls: [{ tool: 'shoot' }] }, { text: 'a cat' }],
      tools: [tool('shoot')],
      answers: { shoot: () => result },
    })
    await rig.run('what is on the screen?')
    expect(JSON.stringify(rig.model.requests[1]?.body)).toContain('data:image/png;base64,aGk=')
    const messages = rig.model.requests[1]?.body['messages'] as Json[]
    expect(JSON.stringify(messages.filter(({ role }) => role === 'tool'))).not.toContain('aGk=')
  })

  it('is answered with how to configure a model, if there is none', async () => {
    await using rig = await startModelRig({ script: [], server: { model: undefined } })
    expect((await rig.run('hello'))['error']).toMatch(/No model is configured.*ORRERY_MODEL.*OPENAI_API_KEY.*orrery model check/)
  })

  it('continues after a turn that was cut at its length, and gives up after several', async () => {
    await using rig = await startModelRig({ script: [{ text: 'so long', finish: 'length' }] })
    expect(await rig.run('x')).toMatchObject({
      status: 'failed',
      error: expect.stringMatching(/^The model cannot continue: its turns are repeatedly cut off or empty/) as string,
    })
    expect(rig.model.requests).toHaveLength(4)
    expect(rig.model.requests[1]?.text).toContain('Your answer was cut off')
  })

  it('has the key in no prompt, event or log, whatever a device returns', async () => {
    await using rig = await startModelRig({
      script: [{ calls: [{ tool: 'env' }] }, { status: 400, error: `strange key ${MODEL_KEY}` }],
      tools: [tool('env')],
      answers: { env: () => `OPENAI_API_KEY=${MODEL_KEY}` },
    })
    const session = await rig.run('show the environment')
    expect(session['status']).toBe('failed')
    expect(session['error']).toContain('[key]')
    expect(JSON.stringify(rig.model.requests.map(({ body }) => body))).not.toContain(MODEL_KEY)
    expect(rig.server.log.lines.join('\n')).not.toContain(MODEL_KEY)
  })
})
