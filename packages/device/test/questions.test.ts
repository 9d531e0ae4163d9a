import { existsSync } from 'node:fs'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LIMITS } from '@orrery/aip'
import { DeviceConfig, type Ask, type DeviceOptions } from '../src/index.js'
import type { ToolCall, Verdict } from '../src/policy/policy.js'
import { questionText } from '../src/policy/question-text.js'
import { onlyTools } from './support/config.js'
import { online } from './support/running-device.js'
import { temporaryFolders } from './support/temporary.js'
import { toolCaller } from './support/tool-caller.js'

const folder = temporaryFolders()

/** A device that asks its terminal about everything, and what it asked. */
function asking(more: { policy?: unknown; shell?: 'strict' | 'full' } = {}, decision: 'allow' | 'deny' = 'deny') {
  const asked: Ask[] = []
  const config = DeviceConfig.parse({ tools: onlyTools('BashExecutor', 'files', 'shell'), ...more })
  const options: Partial<DeviceOptions> = {
    cwd: folder(),
    config,
    approver: (ask) => {
      asked.push(ask)
      return Promise.resolve(decision)
    },
  }
  return { asked, options, cwd: options.cwd ?? '' }
}

const CALL: ToolCall = {
  tool: 'write_file',
  toolType: 'action',
  server: 'files',
  builtIn: true,
  trusted: true,
  readOnly: false,
  args: {},
}
const VERDICT: Verdict = { do: 'ask', rule: 'default', detail: 'why', command: null, input: 'none', program: null, invalid: null }

describe.runIf(process.platform !== 'win32')('a question about a call', () => {
  it('shows the whole call, word by word', async () => {
    const { asked, options } = asking({ policy: [{ argv: ['**'], do: 'ask' }], shell: 'full' })
    await using tools = await toolCaller(options)
    const hidden = `: ${'a'.repeat(1100)}; touch HIDDEN`
    await tools.error('run_command', { program: 'sh', args: ['-c', hidden], env: { X: '1' } })
    expect(asked[0]?.summary).toContain(`Runs: "sh" "-c" "${hidden}"\n`)
    expect(asked[0]?.summary).toContain('"env":{"X":"1"}')
    expect(asked[0]?.summary).toContain(`In: "${options.cwd}"`)
  })

  it('hides nothing: every character that is not seen is an escape', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const call = { ...CALL, tool: text, server: text, builtIn: false, args: { [text]: text } }
        const command = { argv: [text, text], cwd: text }
        const shown = questionText(call, { ...VERDICT, command, detail: text })
        expect(shown.split('\n')).toHaveLength(4)
        expect(shown.replaceAll('\n', '')).not.toMatch(/[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]|(?! )\s/u)
        expect(shown).toContain(
          JSON.stringify(text)
            .replaceAll(/[^ -~]/g, '')
            .slice(0, 1),
        )
      }),
    )
    const reordered = questionText({ ...CALL, args: { path: 'a\u202Egnp.sh' } }, VERDICT)
    expect(reordered).toBe('write_file {"path":"a\\u202egnp.sh"}\nwhy')
  })

  it('that cannot be shown whole is not asked: the call is denied, and says why', async () => {
    const { asked, options, cwd } = asking({}, 'allow')
    await using tools = await toolCaller(options)
    const denied = await tools.error('write_file', { path: 'a.txt', content: 'x'.repeat(LIMITS.askedCall) })
    expect(denied).toMatch(/of which an approver is shown 32768 at most, so approval is not asked for/)
    expect(asked).toEqual([])
    expect(existsSync(join(cwd, 'a.txt'))).toBe(false)
    await tools.value('write_file', { path: 'b.txt', content: 'x'.repeat(LIMITS.askedCall - 1000) })
    expect(asked).toHaveLength(1)
  })

  it('about a job says that its input is an open shell, or at least not asked about', async () => {
    const { asked, options } = asking({ policy: [{ tool: 'start_job', do: 'ask' }], shell: 'full' })
    await using tools = await toolCaller(options)
    await tools.error('start_job', { program: 'bash' })
    await tools.error('start_job', { program: 'cat' })
    await tools.error('start_job', { line: 'bash' })
    expect(asked[0]?.summary).toContain('This is an open shell until it ends')
    expect(asked[1]?.summary).toContain('What is sent to its input later is not asked about.')
    expect(asked[2]?.summary).toContain('This is an open shell until it ends')
    await tools.error('write_file', { path: 'a', content: '' })
    expect(asked[3]?.summary).not.toContain('input')
  })

  it('has a digest of all that it shows', async () => {
    const { asked, options } = asking()
    await using tools = await toolCaller(options)
    for (const content of ['x', 'x', 'y']) await tools.error('write_file', { path: 'a.txt', content })
    const [first, same, other] = asked.map(({ digest }) => digest)
    expect(first).toMatch(/^[0-9a-f]{64}$/)
    expect([same === first, other === first]).toEqual([true, false])
  })

  it('is followed by a report once it is answered, so that a caller that leaves does not cancel what was approved', async () => {
    const { options } = asking({}, 'allow')
    await using running = await online(options, { aip: { version: 1, features: ['progress'] } })
    await running.connection.run([{ tool_name: 'write_file', parameters: { path: 'a.txt', content: '' }, call_id: 'c1' }])
    const messages = running.connection.frames.filter(({ type }) => type === 'progress').map(({ message }) => message)
    expect(messages).toEqual(['waiting for permission at the device', 'approved'])
  })

  it('is not answered through the server by an answer to something else', async () => {
    const config = DeviceConfig.parse({ tools: onlyTools('files'), policy: { approvers: ['server'] } })
    await using running = await online({ cwd: folder(), config }, { aip: { version: 1, features: ['ask'] } })
    const { connection, logger } = running
    connection.send('command', {
      actions: [{ tool_name: 'write_file', parameters: { path: 'a', content: '' }, tool_type: null, call_id: 'c1' }],
      session_id: 's1',
      response_id: 'r1',
    })
    const { ask_id, digest } = await connection.next('ask')
    connection.send('answer', { ask_id, decision: 'allow', by: 'operator', digest: 'f'.repeat(64) })
    await logger.until('was ignored')
    connection.send('answer', { ask_id, decision: 'allow', by: 'operator', digest })
    expect(await connection.next('command_results')).toMatchObject({ action_results: [{ status: 'success' }] })
  })
})
