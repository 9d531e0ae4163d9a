import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { hasPrograms } from '../../../test/support/has-programs.js'
import { OrreryHome } from '../../../test/support/orrery-process.js'

/** A device with an open shell. */
async function withDevice(): Promise<OrreryHome> {
  const home = new OrreryHome()
  // Its home, where the tests run, is closed to it.
  writeFileSync(join(home.path, 'device.jsonc'), JSON.stringify({ shell: 'full', roots: ['/tmp'] }))
  await home.up()
  return home
}

/** Starts a program in a terminal of the device. */
const inTerminal = (...program: string[]): string[] => ['exec', '-t', '--cwd', '/tmp', '--', ...program]

describe.skipIf(!hasPrograms('script', 'stty', 'tput', 'bash'))('orrery shell', () => {
  it('is a terminal on the device: its size, Ctrl-C, exit code', async () => {
    await using home = await withDevice()
    const shell = home.startInTerminal(...inTerminal('bash', '--norc', '--noprofile'))
    await shell.said(/[$#] /)
    shell.type('echo "$(tput cols) x $(tput lines)"; sh -c "echo sleeps-$((40 + 1)); exec sleep 100"\r')
    await shell.said(/80 x 24[\s\S]*sleeps-41/)
    shell.type('\u0003')
    await shell.said(/\^C[\s\S]*[$#] /)
    shell.type('echo still-$((40 + 2)); exit 9\r')
    await shell.said(/still-42/)
    expect((await shell.ended).code).toBe(9)
  })

  it('follows the size of the window', async () => {
    await using home = await withDevice()
    const file = join(home.path, 'tty')
    // The same terminal in which it runs is given another size from outside.
    writeFileSync(join(home.path, 'resize.sh'), `trap 'tput cols; exit 6' WINCH; echo ready; while :; do sleep 0.1; done`)
    const shell = home.startShellInTerminal(`tty > '${file}'`, inTerminal('bash', join(home.path, 'resize.sh')))
    await shell.said(/ready/)
    await home.runProgram('sh', '-c', `stty -F "$(cat '${file}')" cols 131 rows 40`)
    await shell.said(/131/)
    expect((await shell.ended).code).toBe(6)
  })

  it('is left with ~. at the beginning of a line, and what ran there ends; the terminal is as before', async () => {
    await using home = await withDevice()
    const shell = home.startShellInTerminal(
      '',
      ['shell', '--cwd', '/tmp'],
      'stty -a | grep -o "[-]*icanon"; stty -a | grep -o "[-]*echo "',
    )
    await shell.said(/\S[$#] /)
    shell.type('sleep 1000 & echo pid=$!\r')
    const pid = Number((await shell.said(/pid=(\d+)\s/))[1])
    expect(existsSync(`/proc/${pid}`)).toBe(true)
    shell.type('\r~.')
    await shell.said(/(?<!-)icanon[\s\S]*(?<!-)echo/)
    await shell.ended
    await expect.poll(() => existsSync(`/proc/${pid}`), { timeout: 30_000 }).toBe(false)
  })

  it('ends what runs on the device when its process is killed', async () => {
    await using home = await withDevice()
    const shell = home.startInTerminal(...inTerminal('bash', '-c', 'echo pid=$$; sleep 1000; true'))
    const pid = Number((await shell.said(/pid=(\d+)\s/))[1])
    await shell.kill('SIGKILL')
    await expect.poll(() => existsSync(`/proc/${pid}`), { timeout: 30_000 }).toBe(false)
  })

  it('needs a terminal here; exec -t does not', async () => {
    await using home = await withDevice()
    const refused = await home.run('shell')
    expect(refused.code).toBe(2)
    expect(refused.stderr).toMatch(/needs a terminal here.*exec -- sh -c/)
    const script = 'read line; echo "got $line"; exit 4'
    const { code, stdout } = await home.runWith('typed\n', ...inTerminal('bash', '-c', script))
    expect(stdout).toContain('got typed\r\n')
    expect(code).toBe(4)
  })

  it('says why a strict device has none, with the code of an error of Orrery', async () => {
    await using home = new OrreryHome()
    await home.up()
    const { code, stderr } = await home.run(...inTerminal('bash'))
    expect(code).toBe(125)
    expect(stderr).toMatch(/shell of this device is strict.*\{"tool":"terminal","do":"ask"\}/)
  })
})
