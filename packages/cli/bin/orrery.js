#!/usr/bin/env node
import { existsSync } from 'node:fs'
import module from 'node:module'
import { homedir } from 'node:os'
import { join } from 'node:path'

// Looks at the version before anything newer is loaded, so that an old Node gives a sentence and not a syntax error.
const needed = 24
if (Number(process.versions.node.split('.')[0]) < needed) {
  console.error(`orrery: needs Node ${needed} or newer, and this is ${process.version}`)
  process.exit(2)
}
// Before the rest is loaded, which takes a while.
const { hideKeys } = await import('../dist/running/hide-keys.js')
hideKeys()
// Compiled code is kept for the next start, which takes a sixth less then; in the folder of this user alone, once there is one.
const home = process.env['ORRERY_HOME'] || join(homedir(), '.orrery')
if (existsSync(home)) module.enableCompileCache(join(home, 'compiled'))
await import('../dist/main.js')
