// The one script behind `npm start`, `npm run demo` and `npm test`. It runs on whatever Node the machine has, installs what
// is missing, builds what has changed, and then hands over to the project's own Node. Plain JavaScript without dependencies,
// because it runs before anything is installed.
import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const bin = join(root, 'node_modules', '.bin')
const windows = process.platform === 'win32'
const env = { ...process.env, PATH: bin + delimiter + process.env.PATH }

/** Returns whether node_modules holds exactly the packages that the lock file names. */
function installed() {
  const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages
  const marker = join(root, 'node_modules', '.package-lock.json')
  if (!existsSync(marker)) return false
  const present = JSON.parse(readFileSync(marker, 'utf8')).packages
  return Object.entries(wanted).every(([path, entry]) => {
    if (path === '' || !path.startsWith('node_modules/') || entry.optional || entry.peer || entry.devOptional) return true
    return entry.link ? present[path]?.link : present[path]?.version === entry.version
  })
}

/** How long a step that was interrupted may take to end, in milliseconds; npm finishes what it writes at the moment. */
const ENDING = 5000

/**
 * Runs a step and waits for it; its output is shown only if it fails. Ctrl-C ends it with all that it has started before this process ends: a second
 * `npm ci` beside one that keeps running would break what both install.
 */
async function step(name, command, args) {
  /** The signal that interrupts the step. */
  let interrupted = ''
  const end = (signal) => child.pid !== undefined && process.kill(windows ? child.pid : -child.pid, signal)
  const interrupt = (signal) => {
    if (interrupted !== '') return end('SIGKILL')
    interrupted = signal
    end('SIGTERM')
    setTimeout(() => end('SIGKILL'), ENDING).unref()
  }
  // Before the step begins: a signal may come as soon as it does.
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt)
  const child = spawn(command, args, {
    cwd: root,
    env,
    shell: windows,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: !windows,
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text))
  const started = Date.now()
  const progress = setInterval(() => {
    if (process.stderr.isTTY) process.stderr.write(`\rorrery: ${name} … ${Math.round((Date.now() - started) / 1000)} s `)
  }, 1000)
  const failure = await new Promise((resolve) => {
    child.on('error', (error) => resolve(error.message))
    child.on('close', (code, signal) => resolve(code === 0 ? null : `exit code ${code ?? signal}`))
  })
  clearInterval(progress)
  if (process.stderr.isTTY) process.stderr.write('\r\u001B[K')
  process.off('SIGINT', interrupt).off('SIGTERM', interrupt)
  if (interrupted !== '') {
    console.error(`orrery: ${name} was interrupted; it starts over the next time`)
    process.exit(interrupted === 'SIGINT' ? 130 : 143)
  }
  if (failure === null) return
  process.stderr.write(output)
  console.error(`orrery: ${name} failed (${failure})`)
  process.exit(1)
}

if (!installed()) {
  console.error('orrery: installing packages, about half a minute (only needed once) …')
  await step('npm ci', 'npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'])
}
await step('the build', join(bin, 'tsc'), ['-b'])
// What other machines install: the server gives it to them.
if (process.argv[2] === 'orrery' && ['up', 'server'].includes(process.argv[3])) {
  const { isDevicePackageStale } = await import('./pack.mjs')
  if (isDevicePackageStale())
    await step('the package for other machines', process.execPath, [join(root, 'scripts/pack.mjs'), 'device'])
}

const [target, ...args] = process.argv.slice(2)
const [command, commandArgs] =
  target === 'orrery'
    ? [join(bin, 'node'), [join(root, 'packages/cli/bin/orrery.js'), ...args]]
    : ['npm', ['run', '-s', target, ...(args.length > 0 ? ['--', ...args] : [])]]
const child = spawn(command, commandArgs, {
  cwd: target === 'orrery' ? (process.env.INIT_CWD ?? process.cwd()) : root,
  env,
  stdio: 'inherit',
  shell: windows,
})

// Ctrl-C reaches the whole process group: the child shuts down cleanly, and this process waits for it.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => child.kill('SIGTERM'))
child.on('exit', (code, signal) => {
  process.exit(code ?? (signal === 'SIGINT' ? 130 : 1))
})
