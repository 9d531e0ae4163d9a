// The one script behind `npm start`, `npm run demo` and `npm test`. It runs on whatever Node the machine has, installs what
// is missing, builds what has changed, and then hands over to the project's own Node. Plain JavaScript without dependencies,
// because it runs before anything is installed.
import { spawn, spawnSync } from 'node:child_process'
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

/** Runs a step and waits for it; its output is shown only if it fails. */
function step(name, command, args) {
  const result = spawnSync(command, args, { cwd: root, env, encoding: 'utf8', shell: windows })
  if (result.status === 0) return
  process.stderr.write([result.stdout, result.stderr].join(''))
  console.error(`orrery: ${name} failed (${result.error?.message ?? `exit code ${result.status}`})`)
  process.exit(1)
}

if (!installed()) {
  console.error('orrery: installing packages, about half a minute (only needed once) …')
  step('npm ci', 'npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'])
}
step('the build', join(bin, 'tsc'), ['-b'])

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
