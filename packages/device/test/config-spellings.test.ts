import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isAipError } from '@orrery/aip'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DEFAULT_DEVICE_CONFIG, checkDevice, parseDeviceConfig } from '../src/index.js'
import { ALLOW_ALL, TOOL_SERVER, onlyTools } from './support/config.js'
import { temporaryFolders } from './support/temporary.js'
import { toolCaller } from './support/tool-caller.js'

const folder = temporaryFolders()
const serversOf = (servers: object, env = {}) => parseDeviceConfig(JSON.stringify({ mcpServers: servers }), 'd', env).mcpServers
const mistakesOf = (text: string): string[] => {
  try {
    parseDeviceConfig(text, 'd', {})
    return []
  } catch (error) {
    return (error as Error).message.split('\n')
  }
}

describe('MCP servers as other hosts write them', () => {
  it('are read with all their spellings', () => {
    expect(serversOf({ a: { command: 'x', disabled: true }, b: { command: 'x', enabled: false } })).toEqual({})
    expect(
      serversOf({ a: { command: 'x', disabled: false, autoApprove: [], timeout: 60, alwaysAllow: ['hello'] } }),
    ).toMatchObject({
      a: { command: 'x', timeout: 60 },
    })
    expect(serversOf({ a: { command: 'x', timeout: 600_000 } })).toMatchObject({ a: { timeout: 600 } })
    const url = 'http://127.0.0.1:9000/mcp'
    for (const type of ['streamableHttp', 'streamable-http', 'streamable_http', 'HTTP', 'sse'])
      expect(serversOf({ a: { type, url } })['a']).toMatchObject({ url })
    for (const server of [{ httpUrl: url }, { serverUrl: url }, { url, transport: 'http' }])
      expect(serversOf({ a: server })['a']).toMatchObject({ url })
    expect(serversOf({ a: { transport: 'stdio', command: 'x' } })['a']).toMatchObject({ type: 'stdio', command: 'x' })
    expect(serversOf({ a: { command: ['npx', '-y', 'x'] } })['a']).toMatchObject({ command: 'npx', args: ['-y', 'x'] })
    expect(
      serversOf({ a: { command: 'x', args: ['--port', 8080], env: { PORT: 8080, DEBUG: true, NO: null } } })['a'],
    ).toMatchObject({
      args: ['--port', '8080'],
      env: { PORT: '8080', DEBUG: 'true' },
    })
    expect(serversOf({ a: { command: 'x', env: null, cwd: null }, b: { url, headers: null } })).toMatchObject({
      a: { env: {} },
      b: { headers: {} },
    })
    expect(serversOf({ a: { command: 'x', env: { A: '${env:HOME}', B: '${env:NO:-b}' } } }, { HOME: '/h' })['a']).toMatchObject({
      env: { A: '/h', B: 'b' },
    })
  })

  it('are warned about where a key means nothing here, at its line, with what to use instead', async () => {
    const path = join(folder(), 'device.jsonc')
    const servers = {
      lab: { ...TOOL_SERVER, autoApprove: ['echo'], description: 'notes', env: { KEY: '${input:api-key}' } },
      off: { command: 'no-such-program', disabled: true },
    }
    writeFileSync(path, JSON.stringify({ tools: onlyTools(), inputs: [{ id: 'api-key' }], servers }, null, 1))
    const { servers: checked, warnings } = await checkDevice(path, { timeoutMs: 60_000 })
    expect(checked).toMatchObject([{ name: 'lab', state: 'ready' }])
    const lines = readFileSync(path, 'utf8').split('\n')
    const lineOf = (part: string): number => lines.findIndex((line) => line.includes(part)) + 1
    for (const [part, warning] of [
      ['"inputs"', "'inputs' are not asked for here; write ${NAME}"],
      [
        '"autoApprove"',
        `'autoApprove' has no meaning here; this device decides by 'policy', for example {"server":"lab","do":"allow"}`,
      ],
      ['"description"', "'description' has no meaning here"],
      ['${input:api-key}', 'the environment variable API_KEY, which is not set'],
    ] as const)
      expect(warnings.find((each) => each.startsWith(`${path}:${lineOf(part)}:`))).toContain(warning)
    expect(warnings).toHaveLength(4)
  })

  it('end calls that take longer than their timeout', async () => {
    const config = parseDeviceConfig(
      JSON.stringify({ tools: onlyTools(), policy: ALLOW_ALL, mcpServers: { lab: { ...TOOL_SERVER, timeout: 0.3 } } }),
      'd',
    )
    await using tools = await toolCaller({ config })
    expect(await tools.error('wait')).toBe('Tool wait execution timed out after 0.3s')
    expect(await tools.call('echo', { text: 'still there' })).toMatchObject({ status: 'success' })
  })
})

describe('mistakes in device.jsonc', () => {
  it('are each at their own line, named as the file names them', () => {
    const text = '{\n "policy": [\n  { "do": "alow" },\n  { "tool": 7, "do": "deny" },\n  { "do": "deny", "pth": "/x" }\n ]\n}'
    expect(mistakesOf(text)).toEqual([
      'd:3:11: policy[0].do: expected one of "allow", "ask", "deny"; did you mean \'allow\'?',
      'd:4:13: policy[1].tool: expected string, received number',
      "d:5:19: unknown key 'policy[2].pth'; did you mean 'path'?",
    ])
    expect(mistakesOf('{ "policy": { "rules": [\n{ "do": 1 }] } }')).toEqual([
      'd:2:9: policy.rules[0].do: expected one of "allow", "ask", "deny"',
    ])
    expect(mistakesOf('{ "mcpServers": { "a": {\n"httpUrl": "x" } } }')).toEqual(['d:2:12: mcpServers.a.httpUrl: Invalid URL'])
  })

  it('suggest what may be meant', () => {
    expect(mistakesOf('{ "shel": "full" }')).toEqual(["d:1:3: unknown key 'shel'; did you mean 'shell'?"])
    expect(mistakesOf('{ "mcpServers": { "a": { "comand": "x" } } }')).toContain(
      "d:1:26: unknown key 'mcpServers.a.comand'; did you mean 'command'?",
    )
    expect(mistakesOf('{ "tools": { "Files": false } }')).toEqual(["d:1:14: unknown key 'tools.Files'; did you mean 'files'?"])
    expect(mistakesOf('{ "nothing_like_it": 1 }')).toEqual(["d:1:3: unknown key 'nothing_like_it'"])
  })

  it('are few where the file is something else', () => {
    const readme =
      '# Orrery\n' + Array.from({ length: 30 }, (_, line) => `- [point ${line}](page.md): it's "so", {and} on`).join('\n')
    const lines = mistakesOf(readme)
    expect(lines).toHaveLength(4)
    expect(lines[0]).toBe('d:1:1: this is not JSON; names and texts are in double quotes')
    expect(lines[3]).toMatch(/^and \d+ more$/)
  })

  it('name a header that HTTP does not allow', () => {
    const text =
      '{ "servers": { "a": { "url": "http://x/", "headers": {\n"Authorization": "Bearer …", "Bad name": "x", "Ok": "größe" } } } }'
    expect(mistakesOf(text)).toEqual([
      'd:2:18: servers.a.headers.Authorization: header Authorization has a character that HTTP does not allow: "…"',
      "d:2:42: servers.a.headers.Bad name: HTTP does not allow a header of the name 'Bad name'",
    ])
  })

  it('are found in any text, without a hang or a stack trace', () => {
    const keys = fc.constantFrom(
      ...'mcpServers servers policy rules do path tools agents a command args env url type'.split(' '),
      ...'headers timeout disabled inputs shell __proto__ constructor toString autoApprove'.split(' '),
    )
    const texts = fc.oneof(
      fc.string(),
      fc.constantFrom('${A}', '${', '${env:A}', '${input:b c}', '{a,b}{c,d}', '…', 'allow', 'http://x'),
    )
    const { value } = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 5 },
        fc.oneof(texts, fc.double(), fc.boolean(), fc.constant(null)),
        fc.array(tie('value'), { maxLength: 4 }),
        fc.array(fc.tuple(keys, tie('value')), { maxLength: 5 }).map((entries) => Object.fromEntries(entries)),
      ),
    }))
    const json = value.map((each) => JSON.stringify(each))
    const mutated = fc.tuple(json, fc.nat(), fc.string({ maxLength: 3 })).map(([text, at, put]) => {
      const place = at % (text.length + 1)
      return text.slice(0, place) + put + text.slice(place + 1)
    })
    const deep = fc.integer({ min: 1000, max: 200_000 }).map((depth) => '[{"a":'.repeat(depth))
    fc.assert(
      fc.property(fc.oneof({ weight: 6, arbitrary: json }, { weight: 6, arbitrary: mutated }, deep, fc.string()), (text) => {
        try {
          expect(Object.keys(parseDeviceConfig(text, 'd', {}))).toEqual(
            expect.arrayContaining(Object.keys(DEFAULT_DEVICE_CONFIG)),
          )
        } catch (error) {
          if (!isAipError(error, 'INVALID_CONFIG')) throw error
          const lines = error.message.split('\n')
          expect(lines.length).toBeLessThanOrEqual(21)
          expect(error.message).not.toMatch(/\n {4}at |RangeError|TypeError/)
          expect(lines[0]).toMatch(/^d:\d+:\d+: ./)
        }
      }),
      { numRuns: 500 },
    )
  })
})
