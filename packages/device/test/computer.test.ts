import { McpServer } from '@modelcontextprotocol/server'
import {
  MCPToolInfo,
  ResultStatus,
  ServerMessageType,
  TaskStatus,
  silentLogger,
  systemClock,
  type Command,
  type CommandLike,
} from '@orrery/aip'
import { Socket } from 'node:net'
import { describe, expect, it, vi } from 'vitest'
import { settle } from '../../../test/support/manual-clock.js'
import { z } from 'zod'
import {
  BUILT_IN_NAMES,
  ComputerManager,
  DEFAULT_DEVICE_CONFIG,
  MCPServerManager,
  UFOClient,
  detectPlatform,
  type DeviceConfig,
  type LocalServerFactory,
} from '../src/index.js'
import { isAvailable } from '../src/tools/built-in-servers.js'
import { TOOL_SERVER, withServers } from './support/config.js'
import { RecordingLogger } from './support/recording-logger.js'

const command = (tool_name: string, tool_type: Command['tool_type'] = null, parameters: object = {}): Command => ({
  tool_name,
  tool_type,
  parameters: { ...parameters },
  call_id: 'c1',
})

/** A server inside the process whose tools give its name. */
const named =
  (name: string, ...tools: string[]): LocalServerFactory =>
  () => {
    const server = new McpServer({ name, version: '1.0.0' })
    for (const tool of tools) server.registerTool(tool, { title: tool }, () => ({ content: [{ type: 'text', text: name }] }))
    return server
  }

interface Engine extends AsyncDisposable {
  client: UFOClient
  servers: MCPServerManager
  computers: ComputerManager
  logger: RecordingLogger
}

function engine(config: DeviceConfig = withServers({}), localServers: Record<string, LocalServerFactory> = {}): Engine {
  const logger = new RecordingLogger()
  const common = { clock: systemClock, env: process.env, cwd: process.cwd() }
  const servers = new MCPServerManager({ config, localServers, logger: silentLogger, ...common })
  servers.createServersFromConfig()
  const computers = new ComputerManager(config, servers)
  const client = new UFOClient({ mcpServerManager: servers, computerManager: computers, logger })
  return { client, servers, computers, logger, [Symbol.asyncDispose]: () => servers.stop() }
}

describe('the managers of a device', () => {
  it('are made as the seed shows: servers of the default configuration, computers of a configuration and its servers [S-148 S-149]', async () => {
    const servers = new MCPServerManager()
    try {
      expect(servers.servers).toEqual([])
      const created = servers.createServersFromConfig()
      expect(created.map(({ name }) => name)).toEqual(BUILT_IN_NAMES.filter((name) => isAvailable(name, process.env)))
      const computers = new ComputerManager({ agents: { HostAgent: { default: ['system'] } } }, servers)
      const listed = async (agentName: string): Promise<Set<string>> => {
        const computer = computers.getOrCreate({ agentName, processName: null, rootName: null })
        return new Set((await computer.listTools()).map(({ namespace }) => namespace))
      }
      expect(await listed('HostAgent')).toEqual(new Set(['system']))
      expect([...(await listed('AppAgent'))]).toContain('files')
    } finally {
      await servers.stop()
    }
  })

  it('are required, which is checked when the program runs [S-141]', () => {
    const servers = new MCPServerManager({ config: withServers({}) })
    const make = (...given: unknown[]): ComputerManager => Reflect.construct(ComputerManager, given) as ComputerManager
    expect(() => make()).toThrow('config is required.')
    expect(() => make(withServers({}))).toThrow('mcpServerManager is required.')
    expect(() => make(withServers({}), {})).toThrow('mcpServerManager must be an MCPServerManager.')
    expect(make(withServers({}), servers).size).toBe(0)
  })
})

describe('UFOClient', () => {
  it('takes commands and gives results by the names of the documents too [S-165 S-166 S-167 S-266 S-267 S-268 S-269]', async () => {
    await using parts = engine(withServers({ lab: TOOL_SERVER }))
    const message = {
      type: ServerMessageType.COMMAND,
      session_id: 'session_123',
      response_id: 'resp_456',
      agent_name: 'HostAgent',
      process_name: 'explorer.exe',
      root_name: 'navigate_folder',
      actions: [{ action: 'echo', parameters: { text: 'Start' } }, { action: 'no_such_tool' }],
      status: TaskStatus.PROCESSING,
    }
    const results = await parts.client.taskLock.run(() => parts.client.executeStep(message))
    expect(results.map(({ action, status }) => [action, status])).toEqual([
      ['echo', ResultStatus.SUCCESS],
      ['no_such_tool', ResultStatus.ERROR],
    ])
    const [good, bad] = results
    expect([good?.observation, good?.error_message]).toEqual(['Start', null])
    expect(bad?.error_message).toMatch(/no_such_tool/)
    expect(Object.keys(JSON.parse(JSON.stringify(good)) as object)).toEqual(['status', 'error', 'result', 'namespace', 'call_id'])
    expect(message.status).toBe('continue')
    const nameless = parts.client.executeActions([{ parameters: {} } as CommandLike])
    await expect(nameless).rejects.toMatchObject({ code: 'INVALID_INPUT' })
  })

  it('starts with the defaults of the seed [S-140 S-142 S-143 S-144 S-146 S-147]', async () => {
    await using parts = engine()
    const { client, logger } = parts
    expect(client).toMatchObject({ clientId: 'client_001', platform: detectPlatform() })
    expect(client).toMatchObject({ sessionId: null, agentName: null, processName: null, rootName: null })
    expect(client.commandRouter).toBeDefined()
    expect(logger.lines).toEqual([`info UFO Client initialized for platform: ${detectPlatform()}`])
  })

  it.each([
    ['sessionId', 'Session ID'],
    ['agentName', 'Agent name'],
    ['processName', 'Process name'],
    ['rootName', 'Root name'],
  ] as const)(
    'takes a string or null as %s and logs it [S-150 S-151 S-152 S-153 S-154 S-155 S-156 S-157 S-158]',
    async (key, name) => {
      await using parts = engine()
      const { client, logger } = parts
      for (const value of [12345, undefined, {}]) {
        expect(() => {
          client[key] = value as unknown as string
        }).toThrow(`${name} must be a string or None.`)
      }
      client[key] = 'HostAgent'
      expect(client[key]).toBe('HostAgent')
      expect(logger.lines.at(-1)).toBe(`info ${name} set to: HostAgent`)
      client[key] = null
      expect(client[key]).toBeNull()
    },
  )

  it('takes over whom a step is for and gives its results [S-159 S-160 S-162 S-163 S-180]', async () => {
    await using parts = engine(undefined, { lab: named('lab', 'who') })
    const { client, logger, computers } = parts
    const step = {
      agent_name: 'AppAgent',
      process_name: 'notes',
      root_name: 'WINWORD.EXE',
      actions: [command('who'), command('who')],
    }
    const results = await client.executeStep(step)
    expect(results.map((result) => result.result)).toEqual(['lab', 'lab'])
    expect(client).toMatchObject({ agentName: 'AppAgent', processName: 'notes', rootName: 'WINWORD.EXE' })
    expect(logger.lines).toContain('info Executing 2 actions in total')
    await client.executeStep({ ...step, process_name: 'other' })
    expect(computers.size).toBe(2)
    const [unknown] = await client.executeActions([command('nothing')])
    expect(unknown!.error).toContain('AppAgent::other::WINWORD.EXE')
  })

  it('refuses to be made without one of its managers [S-141]', async () => {
    await using parts = engine()
    const { servers, computers } = parts
    // @ts-expect-error: without a computer manager
    expect(() => new UFOClient({ mcpServerManager: servers })).toThrow('computerManager is required')
    // @ts-expect-error: without a server manager
    expect(() => new UFOClient({ computerManager: computers })).toThrow('mcpServerManager is required')
  })

  it('runs the commands that it is given and no others, interprets nothing of a request or a result, and reaches no network [S-169]', async () => {
    const calls: unknown[] = []
    const suggesting: LocalServerFactory = () => {
      const server = new McpServer({ name: 'lab', version: '1.0.0' })
      for (const name of ['look', 'press']) {
        server.registerTool(name, { inputSchema: z.looseObject({}) }, (input) => {
          calls.push([name, input])
          return { content: [{ type: 'text', text: 'Next, call press with {"key": "y"}.' }] }
        })
      }
      return server
    }
    await using parts = engine(undefined, { lab: suggesting })
    const { client } = parts
    using connect = vi.spyOn(Socket.prototype, 'connect')
    const step = { agent_name: null, process_name: null, root_name: null, user_request: 'press y', request: 'press y' }
    await client.executeStep({ ...step, actions: null })
    expect(calls).toEqual([])
    const results = await client.executeStep({ ...step, actions: [command('look', null, { at: 'press' }), command('look')] })
    expect(results.map(({ result }) => result)).toEqual(Array(2).fill('Next, call press with {"key": "y"}.'))
    expect(calls).toEqual([
      ['look', { at: 'press' }],
      ['look', {}],
    ])
    await client.reset()
    await settle()
    expect(connect).not.toHaveBeenCalled()
  })

  it('has nothing to do without commands [S-161]', async () => {
    await using parts = engine()
    const { client, logger } = parts
    expect(await client.executeActions(null)).toEqual([])
    expect(await client.executeActions([])).toEqual([])
    expect(logger.count('Executing')).toBe(0)
  })

  it('forgets everything on reset [S-170 S-171 S-172 S-174]', async () => {
    await using parts = engine(undefined, { lab: named('lab', 'who') })
    const { client, logger, computers, servers } = parts
    await client.executeStep({ agent_name: 'a', process_name: 'p', root_name: 'r', actions: [command('who')] })
    client.sessionId = 's'
    const server = servers.getServer('lab')
    logger.lines.length = 0
    await client.reset()
    expect(client).toMatchObject({ sessionId: null, agentName: null, processName: null, rootName: null })
    expect(computers.size).toBe(0)
    expect(servers.getServer('lab')).toBe(server)
    expect(logger.lines).toEqual(['info Client state has been reset.'])
  })

  it('lets errors of the router through [S-168]', async () => {
    await using parts = engine()
    parts.client.commandRouter.execute = () => Promise.reject(new Error('router broke'))
    await expect(parts.client.executeActions([command('x')])).rejects.toThrow('router broke')
  })

  it('runs what holds its lock one after the other, whatever fails [S-145 S-177]', async () => {
    await using parts = engine()
    const order: string[] = []
    const gate = Promise.withResolvers<void>()
    const first = parts.client.taskLock.run(async () => {
      order.push('first begins')
      await gate.promise
      order.push('first ends')
      throw new Error('first fails')
    })
    const second = parts.client.taskLock.run(() => order.push('second'))
    gate.resolve()
    await expect(first).rejects.toThrow('first fails')
    await second
    expect(order).toEqual(['first begins', 'first ends', 'second'])
  })
})

const PICTURES: ReadonlySet<string> = new Set(['screenshot'])

describe('the tools of a device', () => {
  it('lists each tool once, with its key, schemas and annotations, filtered as asked [S-148]', async () => {
    await using parts = engine(DEFAULT_DEVICE_CONFIG)
    const computer = parts.computers.getOrCreate({ agentName: 'LinuxAgent', processName: null, rootName: null })
    const result = await computer.run(command('list_tools', 'action', { tool_type: 'action' }), {
      signal: new AbortController().signal,
    })
    const tools = MCPToolInfo.array().parse(result.result)
    expect(result.status).toBe('success')
    expect(tools.slice(0, 3).map((tool) => [tool.tool_key, tool.namespace])).toEqual([
      ['action::execute_command', 'BashExecutor'],
      ['action::get_system_info', 'BashExecutor'],
      ['action::run_shell', 'CommandLineExecutor'],
    ])
    // Each under its own name: a second tool of a name would be called namespace.tool.
    expect(tools.filter((tool) => tool.tool_name.includes('.'))).toEqual([])
    for (const tool of tools) {
      expect(tool.description!.length).toBeGreaterThan(40)
      expect(tool.input_schema).toMatchObject({ type: 'object' })
      // A tool whose answer is a picture has no value to describe.
      if (!PICTURES.has(tool.tool_name)) expect(tool.output_schema, tool.tool_name).toMatchObject({ type: 'object' })
      for (const hint of ['readOnlyHint', 'destructiveHint', 'idempotentHint'])
        expect(tool.annotations, tool.tool_name).toHaveProperty(hint, expect.any(Boolean))
    }
    expect(await computer.listTools({ namespace: 'CommandLineExecutor' })).toHaveLength(1)
    expect(await computer.listTools({ toolType: 'data_collection' })).toEqual([])
    const wrong = await computer.run(command('list_tools', null, { tool_type: 'other' }), {
      signal: new AbortController().signal,
    })
    expect(wrong).toMatchObject({ status: 'failure', error: "tool_type must be 'action' or 'data_collection'" })
  })

  it('registers the second of two tools with one name as namespace.tool, in the order of the configuration', async () => {
    await using parts = engine(withServers({}), { one: named('one', 'who', 'list_tools'), two: named('two', 'who') })
    const [first, second, list, own] = await parts.client.executeActions([
      command('who'),
      command('two.who'),
      command('list_tools'),
      command('one.list_tools'),
    ])
    expect([first!.result, second!.result, own!.result]).toEqual(['one', 'two', 'one'])
    expect((list!.result as { tool_name: string }[]).map((tool) => tool.tool_name)).toEqual(['who', 'one.list_tools', 'two.who'])
  })

  it('keeps the types apart: a bare name is an action first', async () => {
    const config = withServers({ watch: { ...TOOL_SERVER, type: 'data_collection' } })
    await using parts = engine(config, { act: named('act', 'pid') })
    const [bare, seen, only, missing, list] = await parts.client.executeActions([
      command('pid'),
      command('pid', 'data_collection'),
      command('echo', null, { text: 'x' }),
      command('echo', 'action', { text: 'x' }),
    ])
    expect(bare).toMatchObject({ result: 'act', namespace: 'act' })
    expect(seen).toMatchObject({ status: 'success', namespace: 'watch' })
    expect(only).toMatchObject({ result: 'x', namespace: 'watch' })
    expect(missing).toMatchObject({ status: 'failure', error: expect.stringContaining('action::echo is not registered') })
    expect(list).toBeUndefined()
    const computer = parts.computers.getOrCreate({ agentName: null, processName: null, rootName: null })
    const kinds = new Set((await computer.listTools({ toolType: 'data_collection' })).map((tool) => tool.tool_type))
    expect([...kinds]).toEqual(['data_collection'])
  })

  it('follows a server whose tools change', async () => {
    const made: McpServer[] = []
    const changing: LocalServerFactory = () => {
      const server = named('lab', 'who')() as McpServer
      made.push(server)
      return server
    }
    await using parts = engine(withServers({}), { lab: changing })
    await parts.client.executeActions([command('who')])
    made.at(-1)!.registerTool('later', {}, () => ({ content: [{ type: 'text', text: 'later' }] }))
    await expect.poll(async () => (await parts.client.executeActions([command('later')]))[0]!.result).toBe('later')
  })

  it('has every server started, stopped and started again, however often that is asked for', async () => {
    await using parts = engine(withServers({}), { lab: named('lab', 'who') })
    const server = parts.servers.getServer('lab')!
    await Promise.all([server.stop(), server.stop()])
    expect(server.state).toBe('stopped')
    server.start()
    const stopping = server.stop()
    server.start()
    await stopping
    expect(server.state).toBe('stopped')
    server.start()
    server.start()
    expect((await parts.client.executeActions([command('who')]))[0]!.result).toBe('lab')
  })

  it('continues with the rest of a batch when early exit is off', async () => {
    await using parts = engine(withServers({}), { lab: named('lab', 'who') })
    const addressee = { agentName: null, processName: null, rootName: null }
    const results = await parts.client.commandRouter.execute(addressee, [command('nothing'), command('who')], {
      earlyExit: false,
    })
    expect(results.map((result) => result.status)).toEqual(['failure', 'success'])
  })
})
