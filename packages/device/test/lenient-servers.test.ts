import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import { homedir, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { systemClock, type Result } from '@orrery/aip'
import * as fc from 'fast-check'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { ManualClock } from '../../../test/support/manual-clock.js'
import { ComputerManager, MCPServerManager, checkDevice, type Computer, type MCPServer } from '../src/index.js'
import { loadClientSdk } from '../src/mcp/connection.js'
import { AnswerMender } from '../src/mcp/mend-answers.js'
import { ALLOW_ALL, onlyTools, withServers } from './support/config.js'
import { RecordingLogger } from './support/recording-logger.js'

const SERVER = fileURLToPath(new URL('fixtures/said-server.mjs', import.meta.url))

/** A server that says this. */
function said(what: object, more: object = {}): object {
  return { command: process.execPath, args: [SERVER], env: { SAID: JSON.stringify(what) }, ...more }
}

interface Device {
  computer: Computer
  manager: MCPServerManager
  logger: RecordingLogger
  call(tool: string): Promise<Result>
  /** Waits until a server has this state. */
  until(name: string, state: string): Promise<MCPServer>
}

/** The tools of a device with these servers. */
function deviceWith(servers: Record<string, object>, clock = systemClock): Device {
  const logger = new RecordingLogger()
  const config = withServers(servers)
  const manager = new MCPServerManager({ config, clock, logger, env: process.env, cwd: process.cwd() })
  onTestFinished(() => manager.stop())
  const waiting: (() => void)[] = []
  manager.onChange = () => waiting.splice(0).forEach((check) => check())
  manager.createServersFromConfig()
  const computer = new ComputerManager(config, manager, { clock }).getOrCreate({ agentName: 'a', processName: '', rootName: '' })
  return {
    computer,
    manager,
    logger,
    call: (tool) =>
      computer.run({ tool_name: tool, parameters: {}, tool_type: null, call_id: 'c' }, { signal: new AbortController().signal }),
    until: async (name, state) => {
      for (;;) {
        const server = manager.getServer(name)
        if (server?.state === state) return server
        await new Promise<void>((resolve) => waiting.push(resolve))
      }
    },
  }
}

const tool = (name: string, more: object = {}) => ({ name, inputSchema: { type: 'object' }, ...more })

/** Serves HTTP at a free port and gives its address. */
async function listen(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`
}

/** An address where nothing listens. */
async function closedPort(): Promise<string> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`
}

interface Asked {
  id?: number
  method: string
  params?: { name: string; protocolVersion: string }
}

/** An HTTP server of the older protocol; `other` answers what it returns false for. */
function oldServer(
  other: (asked: Asked, request: Parameters<RequestListener>[0], response: Parameters<RequestListener>[1]) => boolean,
  tools: object[],
): Promise<string> {
  return listen((request, response) => {
    void (async () => {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk as Buffer)
      if (request.method !== 'POST') return void response.writeHead(405).end()
      const asked = JSON.parse(Buffer.concat(chunks).toString()) as Asked
      if (other(asked, request, response)) return
      const { id, method, params } = asked
      if (id === undefined) return void response.writeHead(202).end()
      const results: Record<string, unknown> = {
        initialize: {
          protocolVersion: params?.protocolVersion,
          capabilities: { tools: {} },
          serverInfo: { name: 'h', version: '1' },
        },
        'tools/list': { tools },
        'tools/call': { content: [{ type: 'text', text: 'hi' }] },
      }
      const answer = results[method]
      const body = answer === undefined ? { error: { code: -32601, message: 'Method not found' } } : { result: answer }
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ jsonrpc: '2.0', id, ...body }))
    })()
  })
}

describe('a server that starts', () => {
  it.each(['silent', 'exit'])(
    'is greeted in the older way, whatever it does with requests that it does not know (%s)',
    async (unknown) => {
      const device = deviceWith({ lab: said({ unknown, tools: [tool('hello')] }) })
      expect(await device.call('hello')).toMatchObject({ status: 'success', result: 'done' })
      expect(device.logger.count('next start')).toBe(0)
    },
  )

  it('may take as long as package runners do, and its standard error is shown meanwhile', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => {
      vi.useRealTimers()
    })
    const device = deviceWith(
      { lab: said({ startsAfterMs: 300, stderr: 'downloading 40 MB', tools: [tool('hello')] }) },
      new ManualClock(),
    )
    await device.logger.until('[MCP] lab: downloading 40 MB')
    await vi.advanceTimersByTimeAsync(110_000)
    const server = await device.until('lab', 'ready')
    expect(server.tools).toHaveLength(1)
    expect(device.logger.count('next start')).toBe(0)
    expect(device.logger.count('info [MCP] lab: downloading')).toBe(1)
  })

  it.each(['404', '500', '202', 'empty', 'close'])(
    'over HTTP is greeted in the older way first (%s for all else)',
    async (how) => {
      const url = await oldServer(
        ({ id, method }, _request, response) => {
          if (id === undefined || ['initialize', 'tools/list', 'tools/call'].includes(method)) return false
          if (how === 'close') response.destroy()
          else response.writeHead(how === 'empty' ? 200 : Number(how)).end()
          return true
        },
        [tool('hello')],
      )
      const device = deviceWith({ lab: { url } })
      expect(await device.call('hello')).toMatchObject({ status: 'success', result: 'hi' })
    },
  )

  it('says where it was not found: HTTP status, port or name, with the address', async () => {
    const nothing = await listen((_, response) => void response.writeHead(404).end('no such page'))
    const closed = await closedPort()
    const device = deviceWith({
      path: { url: `${nothing}/typo` },
      port: { url: `${closed}/mcp` },
      host: { url: 'http://no-such-host.invalid/mcp' },
    })
    const errors = await Promise.all(['path', 'port', 'host'].map(async (name) => (await device.until(name, 'failed')).lastError))
    expect(errors[0]).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/typo: HTTP 404 \(is the path right\?\): no such page$/)
    expect(errors[1]).toContain('ECONNREFUSED 127.0.0.1:')
    expect(errors[2]).toMatch(/ENOTFOUND no-such-host\.invalid|EAI_AGAIN no-such-host\.invalid/)
  })

  it('says whether its folder or its program is missing, and ~ is the home folder', async () => {
    const device = deviceWith({
      folder: said({}, { cwd: '/no/such/folder' }),
      home: said({}, { cwd: '~/no-such-folder-here' }),
      program: { command: 'no-such-program-here' },
    })
    const errors = await Promise.all(
      ['folder', 'home', 'program'].map(async (name) => (await device.until(name, 'failed')).lastError),
    )
    expect(errors[0]).toBe('the folder /no/such/folder does not exist (ENOENT)')
    expect(errors[1]).toBe(`the folder ${homedir()}/no-such-folder-here does not exist (ENOENT)`)
    expect(errors[2]).toContain('the program no-such-program-here was not found (ENOENT); PATH is /')
  })
})

describe('the tools of a server', () => {
  it('are read one by one: a bad one costs itself alone, and is named', async () => {
    const tools = [
      tool('good'),
      tool('no_type', { inputSchema: { properties: { a: { type: 'string' } } } }),
      tool('empty_schema', { inputSchema: {} }),
      { name: 'no_schema', description: 'x' },
      tool('null_words', { description: null, title: null, annotations: null }),
      tool('null_inside', { inputSchema: { type: 'object', properties: null, required: null } }),
      tool('bad_title', { title: 5, annotations: { readOnlyHint: 'yes' }, icons: 'none', outputSchema: { type: 'array' } }),
      tool('not_an_object', { inputSchema: { type: 'string' } }),
      { description: 'nameless' },
      'a text',
    ]
    const device = deviceWith({ lab: said({ tools }) })
    const server = await device.until('lab', 'ready')
    const names = ['good', 'no_type', 'empty_schema', 'no_schema', 'null_words', 'null_inside', 'bad_title']
    expect(server.tools.map(({ name }) => name)).toEqual(names)
    expect(server.flaws).toContain("the tool 'not_an_object' is left out: its inputSchema does not describe an object")
    expect(server.flaws).toContain('a tool without a name is left out')
    expect(device.logger.count("the tool 'not_an_object' is left out")).toBe(1)
    for (const name of names) expect(await device.call(name)).toMatchObject({ status: 'success', result: 'done' })
  })

  it('that are left out are named by the check of a configuration', async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'orrery-flaws-')), 'device.jsonc')
    onTestFinished(() => rmSync(dirname(path), { recursive: true }))
    const tools = [tool('good'), tool('bad', { inputSchema: { type: 'string' } })]
    writeFileSync(path, JSON.stringify({ tools: onlyTools(), mcpServers: { lab: said({ tools }) }, policy: ALLOW_ALL }))
    const { servers, warnings } = await checkDevice(path, { timeoutMs: 20_000 })
    expect(servers).toMatchObject([{ name: 'lab', state: 'ready', tools: 1 }])
    expect(warnings).toEqual(["MCP server lab: the tool 'bad' is left out: its inputSchema does not describe an object"])
  })

  it('of pages that repeat or fail are those of the pages before', async () => {
    const page = (name: string, nextCursor: string | null) => ({ result: { tools: [tool(name)], nextCursor } })
    const failing = { error: { code: -32603, message: 'out of luck' } }
    const device = deviceWith({
      loops: said({ pages: { first: page('a', 'x'), x: page('b', 'x') } }),
      fails: said({ pages: { first: page('c', 'x'), x: failing } }),
      whole: said({ pages: { first: page('d', 'x'), x: page('e', null) } }),
    })
    const [loops, fails, whole] = await Promise.all(['loops', 'fails', 'whole'].map((name) => device.until(name, 'ready')))
    expect(loops!.tools.map(({ name }) => name)).toEqual(['a', 'b'])
    expect(fails!.tools.map(({ name }) => name)).toEqual(['c'])
    expect(fails!.flaws[0]).toMatch(/tools after the first 1 are left out: .*out of luck/)
    expect(whole!.tools.map(({ name }) => name)).toEqual(['d', 'e'])
    expect(whole!.flaws).toEqual([])
  })

  it('answer at once while another server hangs in its start, once its first start had its time', async () => {
    const clock = new ManualClock()
    const device = deviceWith({ sick: said({ startsAfterMs: 600_000 }), well: said({ tools: [tool('hello')] }) }, clock)
    await device.until('well', 'ready')
    const first = device.call('hello')
    await clock.advance(30_000)
    expect(await first).toMatchObject({ result: 'done' })
    // No time passes from here on.
    expect(await device.call('hello')).toMatchObject({ result: 'done' })
    expect(await device.computer.listTools()).toHaveLength(1)
  })
})

describe('what a tool has done', () => {
  it('is passed on, however its answer is written', async () => {
    const text = [{ type: 'text', text: 'it is done' }]
    const answers = {
      null_structured: { content: text, structuredContent: null, isError: null, _meta: null },
      list_structured: { content: [{ type: 'text', text: '[1,2]' }], structuredContent: [1, 2] },
      null_content: { content: null },
      plain: { content: ['words', { type: 'text', text: 'more', annotations: null }] },
      unknown_part: { content: [{ type: 'hologram', data: 1 }] },
      dangling: { content: [], structuredContent: { x: 1 } },
      draft04: { content: [], structuredContent: { n: 0 } },
      mismatch: { content: text },
    }
    const schemas: Record<string, object> = {
      dangling: { type: 'object', properties: { x: { $ref: '#/definitions/Missing' } } },
      draft04: {
        $schema: 'http://json-schema.org/draft-04/schema#',
        type: 'object',
        properties: { n: { minimum: 0, exclusiveMinimum: true } },
      },
      mismatch: { type: 'object', required: ['y'] },
    }
    const tools = Object.keys(answers).map((name) =>
      tool(name, schemas[name] === undefined ? {} : { outputSchema: schemas[name] }),
    )
    const device = deviceWith({ lab: said({ tools, answers }) })
    const results = await Promise.all(Object.keys(answers).map((name) => device.call(name)))
    expect(results.map(({ status, error }) => ({ status, error }))).toEqual(
      results.map(() => ({ status: 'success', error: null })),
    )
    expect(results.map(({ result }) => result)).toEqual([
      'it is done',
      [1, 2],
      [],
      [
        { type: 'text', text: 'words' },
        { type: 'text', text: 'more' },
      ],
      '{"type":"hologram","data":1}',
      { x: 1 },
      { n: 0 },
      'it is done',
    ])
  })

  it('becomes an answer that can be passed on, whatever the server says', async () => {
    const sdk = await loadClientSdk()
    const mender = new AnswerMender(sdk, () => {})
    const field = fc.oneof(fc.constant(null), fc.jsonValue())
    const answer = fc.record(
      { content: field, structuredContent: field, isError: field, _meta: field, extra: field },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(answer, (given) => {
        expect(sdk.isCallToolResult(mender.mend('tools/call', given))).toBe(true)
      }),
    )
    const listed = fc.record(
      {
        tools: fc.array(
          fc.record(
            { name: field, inputSchema: field, outputSchema: field, title: field, annotations: field, icons: field },
            { requiredKeys: [] },
          ),
        ),
        nextCursor: field,
      },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(listed, (given) => {
        expect(sdk.isSpecType.ListToolsResult(mender.mend('tools/list', given))).toBe(true)
      }),
    )
  })

  it('reports its failure with the reason, wherever that stands', async () => {
    const device = deviceWith({
      lab: said({
        tools: [tool('structured'), tool('twice'), tool('with_data')],
        answers: {
          structured: { isError: true, content: [], structuredContent: { reason: 'quota exceeded' } },
          twice: {
            isError: true,
            content: [
              { type: 'text', text: 'no room' },
              { type: 'text', text: '{"free":0}' },
            ],
            structuredContent: { free: 0 },
          },
        },
        raw: {
          with_data: '{"jsonrpc":"2.0","id":"ID","error":{"code":-32000,"message":"Boom","data":{"hint":"set TICKETS_TOKEN"}}}',
        },
      }),
    })
    const structured = await device.call('structured')
    expect(structured.error).toContain('quota exceeded')
    expect(structured.result).toEqual({ reason: 'quota exceeded' })
    // What is there a second time for readers of text is not part of the reason.
    expect(await device.call('twice')).toMatchObject({ status: 'failure', error: 'no room', result: { free: 0 } })
    expect((await device.call('with_data')).error).toMatch(/Boom.*set TICKETS_TOKEN/)
  })

  it('fails at once when the line with its answer cannot be read', async () => {
    const raw = { broken: '{"jsonrpc":"2.0","id":"ID","result":null,"error":"what"}', bare: '{"id":"ID","result":{}}' }
    const device = deviceWith({ lab: said({ tools: [tool('broken'), tool('bare')], raw }) })
    expect((await device.call('broken')).error).toContain("the server's answer cannot be read")
    expect((await device.call('bare')).error).toContain("the server's answer cannot be read")
  })
})

describe('a call over HTTP', () => {
  it('fails when the server has ended its answer without a result', async () => {
    const names = ['closes', 'breaks', 'accepted', 'other_id']
    const url = await oldServer(
      ({ method, params }, _request, response) => {
        if (method !== 'tools/call') return false
        if (params?.name === 'accepted') response.writeHead(202).end()
        else if (params?.name === 'other_id') {
          const body = JSON.stringify({ jsonrpc: '2.0', id: 99_999, result: { content: [] } })
          response.writeHead(200, { 'content-type': 'application/json' }).end(body)
        } else {
          response.writeHead(200, { 'content-type': 'text/event-stream' })
          response.write(': working\n\n', () => (params?.name === 'closes' ? response.end() : response.destroy()))
        }
        return true
      },
      names.map((name) => tool(name)),
    )
    const device = deviceWith({ lab: { url } })
    for (const result of await Promise.all(names.map((name) => device.call(name)))) {
      expect(result).toMatchObject({ status: 'failure', error: expect.stringContaining('whether the tool has run is not known') })
    }
  })

  it.each([404, 400])('is made once more in a new session when the server has forgotten the session (%d)', async (status) => {
    let sessions = new Set<string>()
    let calls = 0
    const url = await oldServer(
      ({ method }, request, response) => {
        if (method === 'initialize') {
          const session = String(sessions.size + Math.random())
          sessions.add(session)
          response.setHeader('mcp-session-id', session)
          return false
        }
        if (sessions.has(String(request.headers['mcp-session-id']))) {
          if (method === 'tools/call') calls += 1
          return false
        }
        response.writeHead(status).end('Bad Request: No valid session ID provided')
        return true
      },
      [tool('hello')],
    )
    const device = deviceWith({ lab: { url } })
    expect(await device.call('hello')).toMatchObject({ result: 'hi' })
    sessions = new Set()
    const both = await Promise.all([device.call('hello'), device.call('hello')])
    expect(both).toMatchObject([{ result: 'hi' }, { result: 'hi' }])
    expect(calls).toBe(3)
    expect(device.logger.count('next start')).toBe(0)
  })

  it('that the server refuses in each session fails with its reason', async () => {
    const url = await oldServer(
      ({ method }, _request, response) => {
        if (method !== 'tools/call') return false
        response.writeHead(400).end('that is not allowed here')
        return true
      },
      [tool('hello')],
    )
    const device = deviceWith({ lab: { url } })
    expect((await device.call('hello')).error).toContain('that is not allowed here')
  })
})
