import { Command } from 'commander'
import { usageError } from '../terminal/errors.js'
import { examples } from '../terminal/help.js'
import { jsonObject } from './json-object.js'
import { paint, painted } from '../terminal/painted.js'
import { print, printJson } from '../terminal/write.js'
import { type ShellMode, shellOption } from '../settings/shell-mode.js'

interface Options {
  config?: string
  shell?: ShellMode
  server?: string
  json?: boolean
}

/** `orrery policy`: what the policy of this machine says. */
export function policyCommand(): Command {
  const explain = new Command('explain')
    .summary('say what the policy would do with a call, and by which rule')
    .description('Says what the policy of this machine would do with a call of a tool, and which rule decides. Nothing runs.')
    .argument('<tool>', 'name of the tool')
    .argument('[arguments]', 'its arguments as JSON', '{}')
    .option('--config <file>', "the device's configuration (default: the file device.jsonc in ORRERY_HOME)")
    .option('--server <name>', 'MCP server that has the tool (default: the built-in one that has it)')
    .addOption(shellOption())
    .option('--json', 'print JSON, for programs')
    .addHelpText(
      'after',
      examples([
        [`orrery policy explain execute_command '{"command": "git push"}'`, 'may this run?'],
        [`orrery policy explain write_file '{"path": "notes.txt"}'`, 'may this file be written?'],
      ]),
    )
    .action(explainCall)
  return new Command('policy')
    .summary('what may run on this machine')
    .description('What may run on this machine.')
    .addCommand(explain)
}

async function explainCall(tool: string, text: string, options: Options): Promise<void> {
  const args = parseArguments(text)
  const [{ deviceSettings, localDevice }, { explainPolicy }] = await Promise.all([
    import('../settings/device-settings.js'),
    import('@orrery/device'),
  ])
  const settings = await deviceSettings(options)
  const { closedFolders } = localDevice(settings)
  const {
    do: action,
    rule,
    detail,
  } = await explainPolicy(settings.config, { tool, args, server: options.server }, { closedFolders })
  if (options.json) return printJson({ tool, do: action, rule, detail })
  const style = action === 'allow' ? 'green' : action === 'deny' ? 'red' : 'yellow'
  print(painted`${paint(style, action)}  ${tool}`)
  print(`rule: ${rule}`)
  print(detail)
}

function parseArguments(text: string): Record<string, unknown> {
  const args = jsonObject(text)
  if (args !== null) return args
  throw usageError(`The arguments are a JSON object, such as '{"command": "uptime"}'`)
}
