#!/usr/bin/env node
// Looks at the version before anything newer is loaded, so that an old Node gives a sentence and not a syntax error.
import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import module from 'node:module'
import { homedir } from 'node:os'
import { join } from 'node:path'

const { engines = {}, config = {} } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
const needed = (engines.node ?? config.node).replace('>=', '')

if (isAtLeast(process.versions.node, needed)) await start()
else {
  const node = nodeBeside()
  if (node === null) {
    console.error(
      `orrery: needs Node ${needed} or newer, and this is ${process.version}: install one, or run 'npm install node@24' in this project`,
    )
    process.exit(2)
  }
  runWith(node)
}

async function start() {
  // Before the rest is loaded, which takes a while.
  const { hideKeys } = await import('../dist/running/hide-keys.js')
  hideKeys()
  // Compiled code is kept for the next start, which takes a sixth less then; in the folder of this user alone, once there is one.
  const home = process.env['ORRERY_HOME'] || join(homedir(), '.orrery')
  if (existsSync(home)) module.enableCompileCache(join(home, 'compiled'))
  await import('../dist/main.js')
}

function isAtLeast(version, wanted) {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const [wantedMajor = 0, wantedMinor = 0] = wanted.split('.').map(Number)
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor)
}

/** Returns the Node that npm has installed beside this package, if that is new enough; null if there is none. */
function nodeBeside() {
  try {
    const manifest = module.createRequire(import.meta.url).resolve('node/package.json')
    const { version } = JSON.parse(readFileSync(manifest, 'utf8'))
    const path = join(manifest, '..', 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
    return existsSync(path) && isAtLeast(version, needed) ? path : null
  } catch {
    return null
  }
}

/** Runs this file with another Node, as if it were this process. */
function runWith(node) {
  const child = spawn(node, process.argv.slice(1), { stdio: 'inherit' })
  // Ctrl-C reaches both; the child decides.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => signal !== 'SIGINT' && child.kill(signal))
  child.on('error', (error) => {
    console.error(`orrery: ${node} does not start: ${error.message}`)
    process.exit(1)
  })
  child.on('exit', (code, signal) => (signal === null ? process.exit(code) : process.kill(process.pid, signal)))
}
