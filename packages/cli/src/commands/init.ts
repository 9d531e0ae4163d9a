import { writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { messageOf } from '@orrery/aip'
import { makeFolder } from '@orrery/log/make-folder'
import { Command } from 'commander'
import { inHome, makeHome } from '../settings/home.js'
import { CliError } from '../terminal/errors.js'
import { examples } from '../terminal/help.js'
import { orrery } from '../terminal/invocation.js'
import { print } from '../terminal/write.js'

const SCHEMA = 'device.schema.json'

/** What a new configuration says: all of it is a comment, so nothing changes until a line is put into use. */
const TEMPLATE = `// The configuration of this machine as an Orrery device: JSON with comments. All of it may be left out.
// Changes count at once, for most keys. '${orrery('device check')}' says whether it is good.
{
  "$schema": "./${SCHEMA}",

  // Its name on the server; default: the host name.
  // "client_id": "laptop",

  // Where it connects, and with which key; default: the server on this machine, and the file device.key beside this one.
  // "server": "ws://192.168.1.10:5000/ws",
  // "token": "\${ORRERY_DEVICE_KEY}",

  // Its shell: "strict" runs an allow-list of programs without a shell, "full" the shell of the system.
  // "shell": "strict",

  // The folders that tools may work in; default: the folder in which the device is started.
  // "roots": ["/home/me/projects"],

  // Built-in tools can be switched off.
  // "tools": { "desktop": false },

  // MCP servers, as other hosts write them.
  // "mcpServers": {
  //   "tickets": { "url": "https://mcp.example.com/mcp", "headers": { "Authorization": "Bearer \${TICKETS_KEY}" } }
  // },

  // What may run: the first rule that matches decides. Without one, reading is allowed and the rest needs an approval.
  // "policy": [
  //   { "tool": "write_file", "path": "/home/me/projects/**", "do": "allow" },
  //   { "argv": ["git", "push", "**"], "do": "ask" }
  // ],

  // The audit of this device keeps what calls run with, not only that they ran.
  // "audit": { "contents": true },
}
`

/** `orrery init`: a configuration to begin with. */
export function initCommand(): Command {
  return new Command('init')
    .summary('write a device.jsonc to begin with')
    .description(
      'Writes a configuration for this machine as a device, in which everything is a comment, and its JSON Schema, with which editors check it. ' +
        'An existing file is kept.',
    )
    .option('--config <file>', 'where to write it (default: the file device.jsonc in ORRERY_HOME)')
    .addHelpText('after', examples([['orrery init', 'then edit the file; orrery device check says whether it is good']]))
    .action(init)
}

async function init({ config }: { config?: string }): Promise<void> {
  const path = config === undefined ? inHome('device.jsonc') : resolve(config)
  const [{ DeviceConfig }, { z }] = await Promise.all([import('@orrery/device'), import('zod')])
  const title = 'The configuration of an Orrery device (device.jsonc)'
  const schema = { title, ...z.toJSONSchema(DeviceConfig, { io: 'input', unrepresentable: 'any' }) }
  try {
    if (config === undefined) makeHome()
    else makeFolder(dirname(path))
    writeFileSync(path, TEMPLATE, { flag: 'wx', mode: 0o600 })
    writeFileSync(join(dirname(path), SCHEMA), `${JSON.stringify(schema, null, 2)}\n`)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST')
      throw new CliError(`${path} exists already and is kept: edit it, or write another with --config FILE`, undefined, {
        cause: error,
      })
    throw new CliError(`Cannot write the configuration: ${messageOf(error)}`, undefined, { cause: error })
  }
  print(`Wrote ${path}`)
  print(`Edit it, then: ${orrery(config === undefined ? 'device check' : `device check --config ${path}`)}`)
}
