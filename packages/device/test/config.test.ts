import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { BUILT_IN_NAMES, DEFAULT_DEVICE_CONFIG, loadDeviceConfig, parseDeviceConfig } from '../src/index.js'

const at = (text: string) => () => parseDeviceConfig(text, 'device.jsonc')

describe('device.jsonc', () => {
  it('needs nothing: built-in tools on, strict shell', () => {
    expect(parseDeviceConfig('{}', 'device.jsonc')).toEqual(DEFAULT_DEVICE_CONFIG)
    expect(DEFAULT_DEVICE_CONFIG).toEqual({
      shell: 'strict',
      tools: Object.fromEntries(BUILT_IN_NAMES.map((name) => [name, true])),
      presets: [],
      mcpServers: {},
      agents: {},
      policy: { rules: [], approvers: ['terminal'], ask_timeout_s: 120 },
      audit: { enabled: true, contents: false, max_bytes: 10 * 1024 * 1024, files: 5 },
    })
  })

  it('takes comments, trailing commas and servers as MCP hosts write them', () => {
    const config = parseDeviceConfig(
      `{
        // where to dial
        "$schema": "x", "server": "ws://host:5000/ws", "client_id": "lab", "token": "t", "shell": "full",
        "tools": { "CommandLineExecutor": false },
        "mcpServers": { "files": { "command": "npx", "args": ["-y", "x"], "env": { "A": "b" }, "type": "data_collection", "namespace": "F", "reset": true, }, },
      }`,
      'device.jsonc',
    )
    expect(config.tools).toMatchObject({ BashExecutor: true, CommandLineExecutor: false })
    expect(config.mcpServers['files']).toEqual({
      type: 'data_collection',
      command: 'npx',
      args: ['-y', 'x'],
      env: { A: 'b' },
      namespace: 'F',
      reset: true,
      trustAnnotations: false,
      headers: {},
    })
  })

  it('means paths from its own folder', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'orrery-'))
    try {
      writeFileSync(join(folder, 'device.jsonc'), '{ "roots": ["data", "/srv"] }')
      const { roots } = await loadDeviceConfig(join(folder, 'device.jsonc'))
      expect(roots).toEqual([join(folder, 'data'), '/srv'])
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('puts environment variables into the strings of MCP servers and the token, and nowhere else', () => {
    const text = `{
      "token": "\${KEY}", "client_id": "\${KEY}",
      "servers": {
        "near": { "command": "\${TOOLS:-/opt}/x", "args": ["--a=\${KEY}\${EMPTY:-b}", "$\${HOME}"], "env": { "K": "\${EMPTY}" }, "cwd": "/\${KEY}" },
        "far": { "url": "http://\${HOST:-localhost}:80/", "headers": { "A": "Bearer \${KEY}" }, "namespace": "\${KEY}" },
      },
    }`
    const config = parseDeviceConfig(text, 'device.jsonc', { KEY: 'k', EMPTY: '' })
    expect(config).toMatchObject({ token: 'k', client_id: '${KEY}' })
    expect(config.mcpServers['near']).toMatchObject({
      command: '/opt/x',
      args: ['--a=kb', '${HOME}'],
      env: { K: '' },
      cwd: '/k',
    })
    expect(config.mcpServers['far']).toMatchObject({
      url: 'http://localhost:80/',
      headers: { A: 'Bearer k' },
      namespace: '${KEY}',
    })
  })

  it('tells all that is wrong at once, each with its place', () => {
    const text = '{\n "shel": 1,\n "token": "${NO_KEY_HERE}",\n "mcpServers": { "a": { "command": "x", "args": ["${x y}"] } }\n}'
    expect(() => parseDeviceConfig(text, 'd')).toThrow(
      [
        "d:2:2: unknown key 'shel'; did you mean 'shell'?",
        "d:3:11: the environment variable 'NO_KEY_HERE' is not set; ${NO_KEY_HERE:-default} gives a default",
        'd:4:50: a variable is written ${NAME} or ${NAME:-default}, and $${ stands for ${ itself',
      ].join('\n'),
    )
  })

  it.each([
    [
      '{ "agents": { "A": { "default": ["shell", "nil"] } } }',
      "device.jsonc:1:43: agents.A.default: there is no MCP server 'nil'",
    ],
    ['{ "tools": { "pdf": false }, "agents": { "A": { "default": ["pdf"] } } }', "agents.A.default: 'pdf' is off under 'tools'"],
    [
      '{ "policy": [{ "path": "/srv/{a,b,c,d,e,f,g,h,i}/{a,b,c,d,e,f,g,h,i}", "do": "deny" }] }',
      'its braces stand for more than 64 alternatives, write several rules instead',
    ],
    ['{ "mcpServers": {}, "servers": {} }', "device.jsonc:1:32: servers: give either 'mcpServers' or 'servers'"],
    ['{\n  "shel": "full"\n}', "device.jsonc:2:3: unknown key 'shel'"],
    ['{ "tools": { "Bash": true } }', "device.jsonc:1:14: unknown key 'tools.Bash'"],
    ['{ "mcpServers": { "a": { "command": "x", "argz": [] } } }', "device.jsonc:1:42: unknown key 'mcpServers.a.argz'"],
    ['{ "shell": "open" }', 'device.jsonc:1:12: shell: '],
    ['{ "mcpServers": { "a": {} } }', 'device.jsonc:1:24: mcpServers.a.command: '],
    ['{ "shell": "full", "shell": "strict" }', "device.jsonc:1:20: the key 'shell' is there twice"],
    ['{ "mcpServers": { "__proto__": {} } }', "device.jsonc:1:19: the key '__proto__' is not allowed"],
    ['{ "mcpServers": { "a": { "type": "http", "url": "x" } } }', 'device.jsonc:1:49: mcpServers.a.url: Invalid URL'],
    ['{ "mcpServers": { "a": { "url": "file:///etc" } } }', 'mcpServers.a.url: Invalid URL'],
    [
      '{ "mcpServers": { "a": { "type": "sse", "command": "x" } } }',
      "device.jsonc:1:34: mcpServers.a.type: this type needs a 'url'",
    ],
    ['{ "mcpServers": { "a": { "url": "http://x", "command": "x" } } }', "mcpServers.a.command: give either 'command' or 'url'"],
    [
      '{ "mcpServers": { "BashExecutor": { "command": "x" } } }',
      "device.jsonc:1:19: another server already has the namespace 'BashExecutor': give this one a 'namespace', or switch the built-in one off under 'tools'",
    ],
    [
      '{ "mcpServers": { "a": { "command": "x" }, "b": { "command": "x", "namespace": "a" } } }',
      'device.jsonc:1:44: another server',
    ],
    ['{ "shell": }', 'device.jsonc:1:12: a value is expected here'],
    ['[]', 'device.jsonc:1:1: the file: '],
    ['', 'device.jsonc:1:1: '],
  ])('refuses %j with its place', (text, message) => expect(at(text)).toThrow(message))

  it('reads a file, and names one that is not there', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'orrery-'))
    const path = join(folder, 'device.jsonc')
    await expect(loadDeviceConfig(path)).rejects.toMatchObject({ code: 'INVALID_CONFIG', message: expect.stringContaining(path) })
    writeFileSync(path, '{ "client_id": "lab" }')
    expect((await loadDeviceConfig(path)).client_id).toBe('lab')
    rmSync(folder, { recursive: true })
  })
})
