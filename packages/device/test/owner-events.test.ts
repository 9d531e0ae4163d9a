import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { loadDeviceConfig, type DeviceEvent } from '../src/index.js'
import { onlyTools } from './support/config.js'
import { online } from './support/running-device.js'
import { temporaryFolders } from './support/temporary.js'

const temporary = temporaryFolders()

it('reports to its owner each registration, each configuration and each call, of which the audit keeps no contents', async () => {
  const folder = temporary()
  const path = join(folder, 'device.jsonc')
  const write = (shell: string): void => writeFileSync(path, JSON.stringify({ tools: onlyTools('files'), shell }))
  write('strict')
  const load = () => loadDeviceConfig(path)
  const events: DeviceEvent[] = []
  const auditPath = join(folder, 'audit.jsonl')
  const onEvent = (event: DeviceEvent): void => void events.push(event)
  await using device = await online({ config: await load(), configFile: { path, load }, cwd: folder, auditPath, onEvent })
  expect(events).toEqual([{ type: 'connected' }])
  await device.connection.run([{ tool_name: 'stat_file', parameters: { path: 'nowhere' } }])
  const call = { tool: expect.stringContaining('/stat_file') as unknown, arguments: { path: 'nowhere' }, outcome: 'failure' }
  await expect.poll(() => events[1]).toMatchObject({ type: 'called', call: { ...call, error: expect.any(String) as unknown } })
  await expect.poll(() => readFileSync(auditPath, 'utf8')).toMatch(/"outcome":"failure","error":null/)
  expect(readFileSync(auditPath, 'utf8')).not.toContain('nowhere')
  write('full')
  await expect.poll(() => events[2], { timeout: 30_000 }).toMatchObject({ type: 'configured', config: { shell: 'full' } })
})
