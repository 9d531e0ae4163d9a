import { execFile, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { OrreryHome } from '../support/orrery-process.js'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const run = promisify(execFile)
/** Installing asks the registry: how long that takes is not ours to decide. */
const PATIENCE = 300_000

/** The PATH of a machine that has its own Node and npm, and nothing of this project. */
const OTHERS_PATH = (process.env['PATH'] ?? '')
  .split(delimiter)
  .filter((folder) => !folder.startsWith(ROOT) && !folder.includes('node_modules'))
  .join(delimiter)

/** The surroundings of such a machine: what leads to the registry, such as a proxy and its certificate, and a HOME of its own. */
function othersEnv(home: string): NodeJS.ProcessEnv {
  return { ...process.env, PATH: OTHERS_PATH, HOME: home, ORRERY_HOME: undefined, ORRERY_API_KEY: undefined }
}

describe('the packages', () => {
  const folder = mkdtempSync(join(tmpdir(), 'orrery-packages-'))
  beforeAll(async () => {
    await run(process.execPath, [join(ROOT, 'scripts/pack.mjs')], { cwd: ROOT })
  }, PATIENCE)
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it(
    'install without asking the registry for anything of ours, and bring the package for devices along',
    async () => {
      const home = join(folder, 'home')
      mkdirSync(home)
      const env = othersEnv(home)
      const { stderr } = await run(
        'npm',
        [
          'install',
          '--no-audit',
          '--no-update-notifier',
          '--no-fund',
          '--loglevel=http',
          '--prefix',
          folder,
          join(ROOT, 'build/orrery-0.1.0.tgz'),
          'node@24',
        ],
        { env, maxBuffer: 2 ** 26 },
      )
      expect(stderr).toContain('fetch GET')
      expect(stderr.split('\n').filter((line) => line.includes('orrery') && !line.includes('build/'))).toEqual([])
      // On whatever Node the machine has: npm put the right one beside it.
      const { stdout } = await run(join(folder, 'node_modules/.bin/orrery'), ['demo'], { env })
      expect(stdout).toContain('sessions ran')
      expect(existsSync(join(folder, 'node_modules/orrery/orrery-device.tgz'))).toBe(true)
    },
    PATIENCE,
  )
})

describe.runIf(process.platform === 'linux' && process.getuid?.() === 0)('a second machine', () => {
  it(
    'becomes a device with the printed line as it is, and runs a task',
    async () => {
      await using first = new OrreryHome()
      await run(process.execPath, [join(ROOT, 'scripts/pack.mjs'), 'device'], { cwd: ROOT })
      const up = await first.up('--host', '0.0.0.0')
      const [, line = ''] = await up.said(/^ {2}(ORRERY_API_KEY=.*)$/m)
      const home = mkdtempSync(join(tmpdir(), 'orrery-second-'))
      // Another host name, a HOME of its own, and nothing of this project on its PATH.
      const second = spawn('unshare', ['--uts', 'bash', '-c', `hostname second && ${line}`], {
        env: othersEnv(home),
        cwd: home,
        detached: true,
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      let said = ''
      const connected = new Promise<void>((resolve, reject) => {
        for (const stream of [second.stdout, second.stderr])
          stream.on('data', (chunk: Buffer) => {
            said += chunk.toString()
            if (/ is connected to /.test(said)) resolve()
          })
        second.once('exit', () => reject(new Error(said)))
      })
      try {
        await connected
        const { code, stdout, stderr } = await first.run('exec', 'second', '--', 'hostname')
        expect({ code, stdout }, said + stderr).toEqual({ code: 0, stdout: 'second\n' })
      } finally {
        const gone = new Promise((resolve) => second.once('close', resolve))
        if (second.exitCode === null && second.pid !== undefined) {
          process.kill(-second.pid, 'SIGTERM')
          await gone
        }
        rmSync(home, { recursive: true, force: true })
      }
    },
    PATIENCE,
  )
})
