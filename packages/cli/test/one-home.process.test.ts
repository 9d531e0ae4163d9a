import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { OrreryHome } from '../../../test/support/orrery-process.js'

describe('a second process with one ORRERY_HOME', () => {
  it('says which process runs already, where, and what to do', async () => {
    await using home = new OrreryHome()
    const up = await home.up()
    const [, url = ''] = await up.said(/ready at (\S+)/)
    const owner = `Orrery already runs here \\(pid ${up.pid}, ${url}\\)`
    const device = await home.run('device', '--max-retries', '1')
    expect(device.code).toBe(1)
    expect(device.stderr).toMatch(new RegExp(`^orrery: ${owner}\\. .* another --client-id\\n$`))
    const second = await home.run('up', '--port', '0')
    expect(second.code).toBe(1)
    expect(second.stderr).toMatch(new RegExp(`^orrery: ${owner}\\. .* --data-dir and --port\\n$`))
  })

  it('ends `up` whose device cannot start, instead of leaving a server alone', async () => {
    await using home = new OrreryHome()
    await home.run('devices')
    // The journal has no place: the folder of devices is a file.
    writeFileSync(join(home.path, 'devices'), '')
    const up = await home.run('up', '--port', '0')
    expect(up).toMatchObject({ code: 1, stdout: '' })
    expect(up.stderr).toMatch(/^orrery: The device cannot join its own server: .*\n$/)
    rmSync(join(home.path, 'devices'))
  })

  it.runIf(process.platform === 'linux')('reports a place where no folder can be made, instead of trying forever', async () => {
    await using home = new OrreryHome()
    const server = await home.run('server', '--port', '0', '--data-dir', '/proc/none')
    expect(server).toMatchObject({
      code: 1,
      stderr: 'orrery: Cannot make the folder /proc/none: choose another with --data-dir\n',
    })
  })
})
