import { existsSync } from 'node:fs'
import { hostname, totalmem } from 'node:os'
import { describe, expect, it } from 'vitest'
import { toolCaller } from './support/tool-caller.js'

describe('the tools of the server system', () => {
  it('describe the machine', async () => {
    await using tools = await toolCaller({})
    const machine = await tools.value<{ memory: { total: number; available: number }; uptime_s: number }>('machine_info')
    expect(machine).toMatchObject({
      hostname: hostname(),
      os: { platform: process.platform, architecture: process.arch },
      processor: { load_percent: expect.any(Number) as unknown },
    })
    expect(machine.memory.total).toBe(totalmem())
    expect(machine.memory.available).toBeLessThan(machine.memory.total)
    expect(machine.uptime_s).toBeGreaterThan(0)
  })

  it('list processes, as many and in the order that is asked for, with command lines only when asked', async () => {
    await using tools = await toolCaller({})
    type List = { total: number; processes: { pid: number; memory: number; command_line?: string }[] }
    const byMemory = await tools.value<List>('list_processes', { sort_by: 'memory', limit: 3 })
    expect(byMemory.processes).toHaveLength(3)
    expect(byMemory.total).toBeGreaterThan(3)
    const sizes = byMemory.processes.map(({ memory }) => memory)
    expect(sizes).toEqual(sizes.toSorted((one, other) => other - one))
    expect(byMemory.processes[0]).not.toHaveProperty('command_line')
    const mine = await tools.value<List>('list_processes', { name: 'VITEST', arguments: true, limit: 1000 })
    const me = mine.processes.find(({ pid }) => pid === process.pid)
    expect(me?.command_line?.toLowerCase()).toContain('vitest')
    expect(await tools.value('list_processes', { name: 'no such process \u0001' })).toMatchObject({ total: 0, processes: [] })
  })

  it('list disks and the network', async () => {
    await using tools = await toolCaller({})
    type Disks = { file_systems: { mount: string; size: number; used: number; available: number }[] }
    const { file_systems: disks } = await tools.value<Disks>('list_disks')
    expect(disks.length).toBeGreaterThan(0)
    for (const { mount, size, used } of disks) {
      expect(existsSync(mount)).toBe(true)
      expect(used).toBeLessThanOrEqual(size)
    }
    const network = await tools.value<{ interfaces: { internal: boolean; ipv4: string | null }[] }>('network_info')
    expect(network.interfaces.find(({ internal }) => internal)?.ipv4).toBe('127.0.0.1')
  })
})
