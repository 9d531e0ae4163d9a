import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { freePort } from '../support/free-port.js'
import { OrreryHome, type OrreryProcess } from '../support/orrery-process.js'

/** How long processes may take on a busy machine, in milliseconds. */
const PATIENCE = { timeout: 60_000, interval: 20 }

/** Server and device as processes, and a workflow whose three steps each leave a line in a ledger; the second waits for a file. */
async function scene(home: OrreryHome): Promise<{
  ledger(): string[]
  go(): void
  startServer(): Promise<OrreryProcess>
  startDevice(): Promise<OrreryProcess>
  workflow: string
}> {
  const port = await freePort()
  const [ledger, gate, workflow] = ['ledger', 'gate', 'steps.yaml'].map((name) => join(home.path, name)) as [
    string,
    string,
    string,
  ]
  const step = (id: string, more = ''): string =>
    `  - { id: ${id}, tool: execute_command, continue-on-error: true, with: { timeout: 60, command: "echo ${id} >> ${ledger}${more}" } }\n`
  const wait = `; while [ ! -e ${gate} ]; do sleep 0.05; done`
  writeFileSync(
    workflow,
    `name: steps\ndescription: x\nsteps:\n${step('a')}${step('b', wait)}${step('c')}result: "\${{ steps.a.status }} \${{ steps.b.status }} \${{ steps.b.error }} \${{ steps.c.status }}"\n`,
  )
  writeFileSync(ledger, '')
  writeFileSync(join(home.path, 'device.jsonc'), JSON.stringify({ reconnect_s: 0.5 }))
  return {
    workflow,
    ledger: () => readFileSync(ledger, 'utf8').trim().split('\n'),
    go: () => writeFileSync(gate, ''),
    async startServer() {
      const server = home.start('server', '--port', port, '--log-level', 'INFO')
      await server.said(/Server is ready/)
      return server
    },
    async startDevice() {
      const device = home.start('device', '--client-id', 'd', '--shell', 'full', '--log-level', 'INFO')
      await device.said(/Successfully registered/)
      return device
    },
  }
}

/** Waits until the ledger has this many lines. */
async function ledgerHas(lines: () => string[], count: number): Promise<void> {
  await vi.waitUntil(() => lines().filter(Boolean).length >= count, PATIENCE)
}

/** Returns whether a process runs; one that has ended and was not asked for its exit code does not. */
function isRunning(pid: string): boolean {
  const { stdout } = spawnSync('ps', ['-o', 'stat=', '-p', pid], { encoding: 'utf8' })
  return /^[^Z]/.test(stdout.trim())
}

async function outcome(home: OrreryHome): Promise<Record<string, unknown>> {
  const { sessions } = JSON.parse((await home.run('sessions', '--json')).stdout) as { sessions: { session_id: string }[] }
  return JSON.parse((await home.run('session', sessions[0]?.session_id ?? '', '--json')).stdout) as Record<string, unknown>
}

describe('nothing lost, nothing run twice', () => {
  it('when the server is killed while a command runs: the session continues, and each command had its effect once', async () => {
    await using home = new OrreryHome()
    const { ledger, go, startServer, startDevice, workflow } = await scene(home)
    const server = await startServer()
    await startDevice()
    const running = home.start('run', '--json', '--workflow', workflow)
    await ledgerHas(ledger, 2)
    await server.kill('SIGKILL')
    await startServer()
    go()
    await running.said(/"type":"ended"/)
    expect(await outcome(home)).toMatchObject({ status: 'completed', result: 'success success  success' })
    expect(ledger()).toEqual(['a', 'b', 'c'])
  })

  it('when the device is killed while a command runs: that command is reported as interrupted and not run again', async () => {
    await using home = new OrreryHome()
    const { ledger, go, startServer, startDevice, workflow } = await scene(home)
    await startServer()
    const device = await startDevice()
    const running = home.start('run', '--json', '--workflow', workflow)
    await ledgerHas(ledger, 2)
    await device.kill('SIGKILL')
    await running.said(/"type":"paused"/)
    go()
    await startDevice()
    await running.said(/"type":"ended"/)
    expect((await outcome(home))['result']).toMatch(/^success failure interrupted: .* success$/)
    expect(ledger()).toEqual(['a', 'b', 'c'])
  })

  it('and when the device is killed, the programs that it had started end too', async () => {
    await using home = new OrreryHome()
    const { startServer, startDevice } = await scene(home)
    await startServer()
    const device = await startDevice()
    const file = join(home.path, 'pid')
    home.start('call', 'd', 'execute_command', JSON.stringify({ command: `sleep 300 & echo $! > ${file}; wait`, timeout: 300 }))
    const pid = await vi.waitUntil(() => existsSync(file) && readFileSync(file, 'utf8').trim(), PATIENCE)
    expect(isRunning(pid)).toBe(true)
    await device.kill('SIGKILL')
    await vi.waitUntil(() => !isRunning(pid), PATIENCE)
  })

  it('when both are killed while a command runs', async () => {
    await using home = new OrreryHome()
    const { ledger, go, startServer, startDevice, workflow } = await scene(home)
    const server = await startServer()
    const device = await startDevice()
    const running = home.start('run', '--json', '--workflow', workflow)
    await ledgerHas(ledger, 2)
    await Promise.all([server.kill('SIGKILL'), device.kill('SIGKILL')])
    go()
    await startServer()
    await startDevice()
    await running.said(/"type":"ended"/)
    expect((await outcome(home))['result']).toMatch(/^success failure interrupted: .* success$/)
    expect(ledger()).toEqual(['a', 'b', 'c'])
  })

  it('when the server is asked to stop: it leaves the session for its next start, and the command continues meanwhile; exit code 0', async () => {
    await using home = new OrreryHome()
    const { ledger, go, startServer, startDevice, workflow } = await scene(home)
    const server = await startServer()
    await startDevice()
    const running = home.start('run', '--json', '--workflow', workflow)
    await ledgerHas(ledger, 2)
    expect((await server.kill('SIGTERM')).code).toBe(0)
    await startServer()
    go()
    await running.said(/"type":"ended"/)
    expect(await outcome(home)).toMatchObject({ status: 'completed', result: 'success success  success' })
    expect(ledger()).toEqual(['a', 'b', 'c'])
  })
})
