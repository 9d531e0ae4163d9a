import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { DEVICE_KEY, OPERATOR_KEY } from '../support/test-server.ts'
import { WireClient, type Json } from '../support/wire-client.ts'
import { startWorkflowRig } from './run-on-device.ts'

const CONTENT = 'x'.repeat(700_000)

describe('a step that copies a file', () => {
  it('takes one from the device of the session to another, and back', async () => {
    await using rig = await startWorkflowRig({ laptop: {}, web: {}, db: {} })
    writeFileSync(join(rig.folderOf('laptop'), 'app.tgz'), CONTENT)
    mkdirSync(join(rig.folderOf('web'), 'srv'))
    const session = await rig.run(
      `steps:
  - { id: up, uses: cp, with: { from: app.tgz, to: "\${{ inputs.target }}:srv/" } }
  - { id: over, uses: cp, with: { from: "web:srv/app.tgz", to: "db:copy.tgz" } }
  - { id: back, uses: cp, with: { from: "db:copy.tgz", to: ./back.tgz } }
  - { run: cmp app.tgz back.tgz }
`.replace('steps:', 'inputs: { target: {} }\nsteps:'),
      { target: 'web' },
    )
    expect(session).toMatchObject({
      status: 'completed',
      result: {
        up: { device: 'web', path: join(rig.folderOf('web'), 'srv/app.tgz'), bytes: CONTENT.length },
        over: { device: 'db' },
        back: { device: 'laptop' },
      },
    })
    expect(readFileSync(join(rig.folderOf('db'), 'copy.tgz'), 'utf8')).toBe(CONTENT)
  })

  it('fails with the reason of the device, and leaves nothing behind', async () => {
    await using rig = await startWorkflowRig({ laptop: {}, web: {} })
    writeFileSync(join(rig.folderOf('laptop'), 'a'), 'new')
    writeFileSync(join(rig.folderOf('web'), 'b'), 'old')
    const errorOf = async (from: string, to: string, more = ''): Promise<unknown> =>
      (await rig.run(`steps: [{ id: c, uses: cp, with: { from: "${from}", to: "${to}"${more} } }]`))['error']
    expect(await errorOf('nope', 'web:x')).toMatch(/^step 'c' failed: .*nope/)
    expect(await errorOf('web:nope', 'x')).toMatch(/^step 'c' failed: .*nope/)
    expect(await errorOf('a', 'web:b')).toMatch(/^step 'c' failed: .*exist/)
    expect(await errorOf('web:b', 'a')).toMatch(/^step 'c' failed: .*exist/)
    expect(await errorOf('a', 'gone:b')).toMatch(/Device 'gone' is not known here/)
    expect(await errorOf('a', 'laptop:b')).toMatch(/both paths are on 'laptop'/)
    expect(existsSync(join(rig.folderOf('web'), 'x'))).toBe(false)
    expect(await errorOf('a', 'web:b', ', overwrite: true')).toBeNull()
    expect(readFileSync(join(rig.folderOf('web'), 'b'), 'utf8')).toBe('new')
    // Neither device is left with anything that runs.
    for (const device of ['laptop', 'web'])
      expect(await rig.run('steps: [{ run: "true" }]', {}, device)).toMatchObject({ status: 'completed' })
  })

  it('keeps to what the owner of the session may reach', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'orrery-copy-'))
    mkdirSync(join(dataDir, 'workflows'))
    writeFileSync(join(dataDir, 'workflows', 'steal.yaml'), 'steps: [{ uses: cp, with: { from: "web:secret", to: got } }]')
    try {
      await using rig = await startWorkflowRig({ laptop: {}, web: {} }, { dataDir })
      writeFileSync(join(rig.folderOf('web'), 'secret'), 'x')
      const ended = async (client: WireClient, task: Json): Promise<unknown> => {
        client.send({ type: 'task', request: 'workflow:steal', ...task })
        let message = await client.next()
        while (message['type'] !== 'task_end') message = await client.next()
        return message['error']
      }
      const { url } = rig.server
      const scoped = { client_id: 'c1', client_type: 'constellation', target_id: 'laptop' }
      const constellation = await WireClient.register(url, OPERATOR_KEY, scoped)
      expect(await ended(constellation, scoped)).toBe("step '1' failed: Not authorized to give tasks to this device")
      const device = await WireClient.register(url, DEVICE_KEY, { client_id: 'pi' })
      expect(await ended(device, {})).toBe("step '1' failed: Device clients may not target other devices")
      expect(existsSync(join(rig.folderOf('laptop'), 'got'))).toBe(false)
    } finally {
      rmSync(dataDir, { recursive: true })
    }
  })
})
