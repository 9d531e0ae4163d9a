import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { temporaryFolders } from '../../packages/device/test/support/temporary.js'
import { lives } from '../../packages/device/test/support/config.js'
import { ScriptedServer, type ScriptedConnection } from '../../packages/device/test/support/scripted-server.js'
import { OrreryHome, type OrreryProcess } from '../support/orrery-process.js'
import { hasPrograms } from '../support/has-programs.js'

/** A device as a process, which may do everything in a folder. */
async function startDevice(
  home: OrreryHome,
  server: ScriptedServer,
  folder: string,
): Promise<{ device: OrreryProcess; connection: ScriptedConnection }> {
  writeFileSync(join(home.path, 'device.jsonc'), JSON.stringify({ shell: 'full', roots: [folder], policy: [{ do: 'allow' }] }))
  const device = home.start('device', '--ws-server', server.url)
  const connection = await server.connection()
  await connection.accept()
  return { device, connection }
}

/** Writes its number into a file and runs on, whatever its terminal or its pipes do. */
const stubborn = (name: string, then = 'exec sleep 600'): string => `trap '' HUP INT TERM PIPE; echo $$ > ${name}.pid; ${then}`

const JOBS = [
  { program: 'sh', args: ['-c', stubborn('plain')] },
  // A group of its own in the session of the job.
  { program: 'bash', args: ['-mc', `sh -c '${stubborn('grouped').replaceAll("'", '"')}' & wait`] },
  { program: 'sh', args: ['-c', stubborn('terminal')], terminal: true },
  { program: 'bash', args: ['-mc', `sh -c '${stubborn('behind').replaceAll("'", '"')}' & wait`], terminal: true },
  // What holds the terminal ends first, when its output is no longer read.
  { program: 'sh', args: ['-c', stubborn('noisy', 'while :; do echo x; sleep 0.01; done 2>/dev/null')], terminal: true },
  // Sessions of their own: at once, and as daemons do it, whose parent is gone.
  { program: 'setsid', args: ['--wait', 'sh', '-c', stubborn('session')] },
  { program: 'sh', args: ['-c', `(setsid sh -c '${stubborn('daemon').replaceAll("'", '"')}' &); exec sleep 600`] },
]
/** Leaves a daemon behind and ends, once that has left its group. */
const COMMAND = `(setsid sh -c '${stubborn('left').replaceAll("'", '"')}' >/dev/null 2>&1 &); until [ -s left.pid ]; do sleep 0.01; done`

describe.runIf(process.platform === 'linux' && hasPrograms('script', 'bash', 'setsid'))('the end of a device', () => {
  const temporary = temporaryFolders()

  it.each(['SIGKILL', 'SIGTERM', 'SIGHUP', 'SIGINT', 'SIGABRT', 'SIGSEGV'] as const)(
    'by %s is the end of all that its tools have started, in terminals and as daemons too',
    async (signal) => {
      const folder = temporary()
      await using home = new OrreryHome()
      await using server = await ScriptedServer.listen()
      const { device, connection } = await startDevice(home, server, folder)
      const results = await connection.run(JOBS.map((parameters) => ({ tool_name: 'start_job', parameters })))
      expect(results.map(({ status, error }) => error ?? status)).toEqual(JOBS.map(() => 'success'))
      const [left] = await connection.run([{ tool_name: 'execute_command', parameters: { command: COMMAND, cwd: folder } }], {
        response_id: 'command',
      })
      expect(left).toMatchObject({ result: { exit_code: 0 } })
      const names = ['plain', 'grouped', 'terminal', 'behind', 'noisy', 'session', 'daemon', 'left']
      const pids = await Promise.all(names.map((name) => pidIn(join(folder, `${name}.pid`))))
      expect(pids.map(lives)).toEqual(pids.map(() => true))
      await device.kill(signal)
      await expect.poll(() => pids.filter(lives), { timeout: 10_000 }).toEqual([])
    },
  )
})

async function pidIn(file: string): Promise<number> {
  await expect.poll(() => existsSync(file) && /^\d+\n$/.test(readFileSync(file, 'utf8')), { timeout: 10_000 }).toBe(true)
  return Number(readFileSync(file, 'utf8'))
}
