import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Client, InMemoryTransport } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { McpServer } from '@modelcontextprotocol/server'
import { serveStdio } from '@modelcontextprotocol/server/stdio'
import { BUILT_IN_NAMES, DeviceConfig, startDevice } from '@orrery/device'
import { WebSocketServer, type WebSocket } from 'ws'
import { z } from 'zod'
import { row, type Row } from './row.ts'
import { median } from './statistics.ts'

function echoServer(): McpServer {
  const server = new McpServer({ name: 'local', version: '1' })
  server.registerTool('echo', { inputSchema: z.object({ message: z.string() }) }, ({ message }) => ({
    content: [{ type: 'text', text: `Echo: ${message}` }],
  }))
  return server
}

const STDIO = {
  command: process.execPath,
  args: [
    join(
      dirname(createRequire(import.meta.url).resolve('@modelcontextprotocol/server-everything/package.json')),
      'dist/index.js',
    ),
    'stdio',
  ],
}

/** What the device adds to a tool call over calling the same MCP server with the SDK: policy, journal, socket and all. */
export async function deviceRows(samples: number): Promise<Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'orrery-bench-'))
  const rows: Row[] = []
  try {
    for (const kind of ['local', 'stdio'] as const) {
      const direct = await directClient(kind)
      const device = await throughDevice(kind, join(folder, kind, 'journal.db'))
      for (const commands of [1, 10, 100]) {
        const turns = Math.max(10, Math.ceil(samples / commands))
        const times = { direct: [] as number[], device: [] as number[] }
        for (let turn = 0; turn < turns + 5; turn += 1) {
          times.direct.push(await timed(() => direct.call(commands)))
          times.device.push(await timed(() => device.call(commands)))
        }
        const [sdk, orrery] = [median(times.direct.slice(5)) / commands, median(times.device.slice(5)) / commands]
        const name = `tool call through the device, ${kind}, ${commands} a batch`
        const added = orrery - sdk
        rows.push(
          row(name, 'ms a call', orrery, sdk, { text: `adds under 1 ms at p50 (adds ${added.toFixed(2)} ms)`, holds: added < 1 }),
        )
      }
      await direct.close()
      await device.close()
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
  return rows
}

interface Caller {
  call(commands: number): Promise<void>
  close(): Promise<void>
}

async function timed(work: () => Promise<void>): Promise<number> {
  const begun = performance.now()
  await work()
  return performance.now() - begun
}

async function directClient(kind: 'local' | 'stdio'): Promise<Caller> {
  const client = new Client({ name: 'bench', version: '1' }, { versionNegotiation: { mode: 'auto' } })
  if (kind === 'stdio') await client.connect(new StdioClientTransport({ ...STDIO, stderr: 'ignore' }))
  else {
    const [near, far] = InMemoryTransport.createLinkedPair()
    serveStdio(echoServer, { transport: far })
    await client.connect(near)
  }
  return {
    async call(commands) {
      for (let index = 0; index < commands; index += 1) await client.callTool({ name: 'echo', arguments: { message: 'x' } })
    },
    close: () => client.close(),
  }
}

async function throughDevice(kind: 'local' | 'stdio', journalPath: string): Promise<Caller> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false })
  const connected = new Promise<WebSocket>((resolve) => server.once('connection', resolve))
  await new Promise((resolve) => server.once('listening', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const off = Object.fromEntries(BUILT_IN_NAMES.map((name) => [name, false]))
  const device = startDevice({
    serverUrl: `ws://127.0.0.1:${port}/ws`,
    clientId: 'bench',
    journalPath,
    auditPath: `${journalPath}.audit.jsonl`,
    config: DeviceConfig.parse({
      tools: off,
      mcpServers: kind === 'stdio' ? { everything: STDIO } : {},
      policy: [{ do: 'allow' }],
    }),
    ...(kind === 'local' ? { localServers: { local: echoServer } } : {}),
  })
  const socket = await connected
  let answered: () => void = () => {}
  socket.on('message', (data: Buffer) => {
    const message = JSON.parse(data.toString()) as { type: string; prev_response_id: string }
    if (message.type === 'register') {
      const aip = { version: 1, features: ['journal', 'resume'], resume_token: 'token' }
      socket.send(JSON.stringify({ type: 'heartbeat', status: 'ok', result: { aip } }))
    } else if (message.type === 'command_results') {
      socket.send(JSON.stringify({ type: 'results_ack', status: 'ok', response_id: message.prev_response_id }))
      answered()
    }
  })
  await device.registered
  return {
    call(commands) {
      const actions = Array.from({ length: commands }, () => ({
        tool_name: 'echo',
        tool_type: 'action',
        parameters: { message: 'x' },
        call_id: crypto.randomUUID(),
      }))
      const done = new Promise<void>((resolve) => {
        answered = resolve
      })
      socket.send(
        JSON.stringify({ type: 'command', status: 'continue', session_id: 's', response_id: crypto.randomUUID(), actions }),
      )
      return done
    },
    async close() {
      await device.stop()
      server.close()
    },
  }
}
