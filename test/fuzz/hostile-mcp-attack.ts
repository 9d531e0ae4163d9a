import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { OPERATOR_KEY, DEVICE_KEY, within, type Attack, type Field } from './attack.ts'
import { DeviceProcess } from './device-process.ts'

const KIND = 'hostile MCP server'
const SCRIPT = fileURLToPath(new URL('hostile-mcp.mjs', import.meta.url))
const CLIENT_ID = 'fuzz-mcp'

/** A device with MCP servers that answer anything: every call gets its answer, and the device's own tools work. */
export async function hostileMcp({ random, findings, server, folder }: Field): Promise<Attack> {
  const mcpServers = Object.fromEntries(
    ['one', 'two'].map((name) => [name, { command: process.execPath, args: [SCRIPT, String(random.between(1, 2 ** 30))] }]),
  )
  const config = { mcpServers, policy: [{ do: 'allow' }] }
  const device = new DeviceProcess('mcp', findings, mkdtempSync(join(folder, 'mcp-')), server.url, DEVICE_KEY, config)
  await online(server.url)
  return {
    async round() {
      for (const tool of ['poke', 'stat_file'] as const) {
        findings.tried(`calls of a device with ${KIND}s`)
        const answer = await run(server.url, tool, random.chance(0.1) ? [] : undefined)
        if (answer === undefined) findings.add(KIND, `the call of ${tool} was not answered`)
        else if (tool === 'stat_file' && !device.stopped && !answer.includes('"status":"success"'))
          findings.add(KIND, `a tool of the device itself failed: ${answer.slice(0, 500)}`)
      }
    },
    end: () => device.stop(),
  }
}

async function online(url: string): Promise<void> {
  for (let tries = 0; tries < 300; tries += 1) {
    const response = await fetch(`${url}/api/clients`, { headers: { 'x-api-key': OPERATOR_KEY } })
    if ((await response.text()).includes(CLIENT_ID)) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error('the device did not come online')
}

/** Runs a tool, for five seconds at most. @returns the answer as text; undefined without one */
async function run(url: string, tool: string, extra: unknown): Promise<string | undefined> {
  const commands = [{ tool_name: tool, parameters: tool === 'stat_file' ? { path: '.' } : { any: extra ?? 'thing' } }]
  const answer = fetch(`${url}/api/devices/${CLIENT_ID}/commands`, {
    method: 'POST',
    headers: { 'x-api-key': OPERATOR_KEY, 'content-type': 'application/json' },
    body: JSON.stringify({ commands, timeout_ms: 5000 }),
  }).then((response) => response.text())
  return within(answer.catch((error: unknown) => String(error)))
}
