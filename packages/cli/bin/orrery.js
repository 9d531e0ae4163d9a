#!/usr/bin/env node
// Looks at the version before anything newer is loaded, so that an old Node gives a sentence and not a syntax error.
const needed = 24
if (Number(process.versions.node.split('.')[0]) < needed) {
  console.error(`orrery: needs Node ${needed} or newer, and this is ${process.version}`)
  process.exit(2)
}
await import('../dist/main.js')
