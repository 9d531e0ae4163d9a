import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { createServer as createTcpServer } from 'node:net'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { toNodeHandler } from '@modelcontextprotocol/node'
import { McpServer, createMcpHandler } from '@modelcontextprotocol/server'
import { silentLogger, systemClock, type MCPToolInfo, type Result } from '@orrery/aip'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { type Computer, ComputerManager, DeviceConfig, MCPServerManager } from '../src/index.js'
import { loadMcpYaml } from '../src/config/mcp-yaml.js'
import { TOOL_SERVER } from './support/config.js'

const everything = join(
  dirname(createRequire(import.meta.url).resolve('@modelcontextprotocol/server-everything/package.json')),
  'dist/index.js',
)

/** The example server of the 2025 protocol in one of its HTTP modes, on a free port. */
async function startEverything(mode: 'streamableHttp' | 'sse'): Promise<{ child: ChildProcess; origin: string }> {
  const probe = createTcpServer()
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
  const address = probe.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  await new Promise((resolve) => probe.close(resolve))
  const child = spawn(process.execPath, [everything, mode], {
    env: { PATH: process.env['PATH'], PORT: String(port) },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  await new Promise<void>((resolve, reject) => {
    let said = ''
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString()
      if (/listening|running/i.test(said)) resolve()
    })
    child.once('exit', () => reject(new Error(said)))
  })
  return { child, origin: `http://127.0.0.1:${port}` }
}

/** A server of the newer protocol over HTTP. Counts its requests by header. */
async function startModern(): Promise<{ server: Server; url: string; keys: (string | undefined)[] }> {
  const keys: (string | undefined)[] = []
  const handler = toNodeHandler(
    createMcpHandler(() => {
      const mcp = new McpServer({ name: 'modern', version: '1' })
      mcp.registerTool('shout', { inputSchema: z.object({ text: z.string() }) }, ({ text }) => ({
        content: [{ type: 'text', text: text.toUpperCase() }],
      }))
      return mcp
    }),
  )
  const server = createServer((request, response) => {
    keys.push(request.headers['x-key']?.toString())
    void handler(request as Parameters<typeof handler>[0], response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return { server, url: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}/mcp`, keys }
}

/** The computer of a configuration, and how to end its servers. */
function computerOf(config: object): { computer: Computer; manager: MCPServerManager } & AsyncDisposable {
  const parsed = DeviceConfig.parse(config)
  const manager = new MCPServerManager({
    config: parsed,
    clock: systemClock,
    logger: silentLogger,
    env: process.env,
    cwd: process.cwd(),
  })
  manager.createServersFromConfig()
  const computer = new ComputerManager(parsed, manager).getOrCreate({
    agentName: 'LinuxAgent',
    processName: '',
    rootName: '',
  })
  return { computer, manager, [Symbol.asyncDispose]: () => manager.stop() }
}

function call(computer: Computer, tool: string, parameters: Record<string, unknown>): Promise<Result> {
  return computer.run({ tool_name: tool, parameters, tool_type: null, call_id: 'c' }, { signal: new AbortController().signal })
}

const names = (tools: readonly MCPToolInfo[]): string[] => tools.map((tool) => `${tool.namespace}/${tool.tool_name}`)

describe('MCP servers over HTTP', () => {
  let older: Awaited<ReturnType<typeof startEverything>>
  let oldest: Awaited<ReturnType<typeof startEverything>>
  let modern: Awaited<ReturnType<typeof startModern>>
  beforeAll(async () => {
    ;[older, oldest, modern] = await Promise.all([startEverything('streamableHttp'), startEverything('sse'), startModern()])
  })
  afterAll(async () => {
    older.child.kill('SIGKILL')
    oldest.child.kill('SIGKILL')
    modern.server.closeAllConnections()
    await new Promise((resolve) => modern.server.close(resolve))
  })

  it('of each era, of SSE, as a child process and built in are listed and called side by side', async () => {
    await using device = computerOf({
      mcpServers: {
        older: { url: `${older.origin}/mcp` },
        oldest: { type: 'sse', url: `${oldest.origin}/sse` },
        modern: { type: 'streamable-http', url: modern.url, headers: { 'X-Key': 'of-the-server' } },
        child: TOOL_SERVER,
      },
    })
    const tools = names(await device.computer.listTools())
    expect(tools).toEqual(
      expect.arrayContaining([
        'BashExecutor/execute_command',
        'older/echo',
        'oldest/oldest.echo',
        'modern/shout',
        'child/child.echo',
      ]),
    )
    expect(await call(device.computer, 'echo', { message: 'a' })).toMatchObject({
      status: 'success',
      result: 'Echo: a',
      namespace: 'older',
    })
    expect(await call(device.computer, 'oldest.echo', { message: 'b' })).toMatchObject({ result: 'Echo: b', namespace: 'oldest' })
    expect(await call(device.computer, 'shout', { text: 'c' })).toMatchObject({ result: 'C', namespace: 'modern' })
    expect(await call(device.computer, 'child.echo', { text: 'd' })).toMatchObject({ status: 'success', namespace: 'child' })
    expect(await call(device.computer, 'execute_command', { command: 'echo e' })).toMatchObject({ result: { stdout: 'e\n' } })
    expect(new Set(modern.keys)).toEqual(new Set(['of-the-server']))
  })

  it('give images as content items', async () => {
    await using device = computerOf({ mcpServers: { older: { url: `${older.origin}/mcp` } } })
    const { result } = await call(device.computer, 'get-tiny-image', {})
    expect(result).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ type: 'image', mimeType: 'image/png', data: expect.any(String) as unknown }),
      ]),
    )
  })

  it('that cannot be reached fail alone, with the reason', async () => {
    await using device = computerOf({ mcpServers: { gone: { url: 'http://127.0.0.1:1/mcp?key=secret' } } })
    expect(names(await device.computer.listTools())).toContain('BashExecutor/execute_command')
    expect((await call(device.computer, 'shout', { text: 'x' })).error).toMatch(/'gone' is not running: .*127\.0\.0\.1:1/)
    expect((await call(device.computer, 'shout', { text: 'x' })).error).not.toContain('secret')
  })

  it('that go away are connected to again when they are back', async () => {
    const first = await startModern()
    const { port } = new URL(first.url)
    await using device = computerOf({ mcpServers: { modern: { url: first.url } } })
    expect(await call(device.computer, 'shout', { text: 'a' })).toMatchObject({ result: 'A' })
    first.server.closeAllConnections()
    await new Promise((resolve) => first.server.close(resolve))
    expect(await call(device.computer, 'shout', { text: 'b' })).toMatchObject({ status: 'failure' })
    const server = device.manager.getServer('modern')
    await vi.waitFor(() => expect(server?.state).not.toBe('ready'))
    const second = await startModern()
    second.server.close()
    await new Promise<void>((resolve) => second.server.listen(Number(port), '127.0.0.1', resolve))
    await vi.waitFor(() => expect(server?.state).toBe('ready'), { timeout: 10_000 })
    expect(await call(device.computer, 'shout', { text: 'c' })).toMatchObject({ result: 'C' })
    second.server.closeAllConnections()
    await new Promise((resolve) => second.server.close(resolve))
  })
})

describe('the mcp.yaml of an existing device', () => {
  const folder = mkdtempSync(join(tmpdir(), 'orrery-mcp-'))
  afterAll(() => rmSync(folder, { recursive: true }))

  it('gives each agent and application its own servers, and all others the default set', async () => {
    const modern = await startModern()
    const { port } = new URL(modern.url)
    const { command: program, args } = TOOL_SERVER
    const file = join(folder, 'mcp.yaml')
    writeFileSync(
      file,
      `mcp:
  LinuxAgent:
    default:
      action:
        - { namespace: Shouter, type: http, host: 127.0.0.1, port: ${port}, path: /mcp }
        - { namespace: BashExecutor, type: local }
    READER:
      action:
        - { namespace: PDFReaderExecutor, type: local }
    EDITOR:
      data_collection:
        - { namespace: Child, type: stdio, command: ${JSON.stringify(program)}, start_args: ${JSON.stringify(args)} }
`,
    )
    const manager = new MCPServerManager({
      config: DeviceConfig.parse({ mcpYaml: file }),
      clock: systemClock,
      logger: silentLogger,
      env: process.env,
      cwd: process.cwd(),
    })
    manager.createServersFromConfig()
    const computers = new ComputerManager(DeviceConfig.parse({}), manager)
    const toolsOf = async (agentName: string, rootName: string): Promise<string[]> =>
      names(await computers.getOrCreate({ agentName, processName: '', rootName }).listTools())
    expect(new Set(await toolsOf('LinuxAgent', ''))).toEqual(
      new Set(['Shouter/shout', 'BashExecutor/execute_command', 'BashExecutor/get_system_info']),
    )
    // The tools of this server are those of the built-in one with another name.
    expect(await toolsOf('LinuxAgent', 'READER')).toEqual(
      ['extract_pdf_text', 'list_pdfs_in_directory', 'extract_all_pdfs_text'].map((name) => `pdf/${name}`),
    )
    const editor = await computers.getOrCreate({ agentName: 'LinuxAgent', processName: '', rootName: 'EDITOR' }).listTools()
    expect(editor[0]).toMatchObject({ namespace: 'Child', tool_type: 'data_collection' })
    expect(await toolsOf('OtherAgent', '')).toEqual(
      expect.arrayContaining(['BashExecutor/execute_command', 'CommandLineExecutor/run_shell']),
    )
    expect(await toolsOf('OtherAgent', '')).not.toContain('Shouter/shout')
    await manager.stop()
    modern.server.closeAllConnections()
    await new Promise((resolve) => modern.server.close(resolve))
  })

  it.each([
    ['LinuxAgent:\n  default:\n    action:\n      - { type: http }\n', /mcp\.yaml: LinuxAgent\.default\.action\.0\.namespace: /],
    ['LinuxAgent: [', /mcp\.yaml: /],
  ])('with a mistake gives file and reason', (text, reason) => {
    const file = join(folder, 'mcp.yaml')
    writeFileSync(file, text)
    expect(() => loadMcpYaml(file)).toThrow(reason)
  })
})
