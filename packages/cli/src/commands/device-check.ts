import { messageOf } from '@orrery/aip'
import type { CheckedServer } from '@orrery/device'
import { Command, InvalidArgumentError } from 'commander'
import { CliError, usageError } from '../terminal/errors.js'
import { examples } from '../terminal/help.js'
import { type Painted, paint, painted } from '../terminal/painted.js'
import { print, printJson } from '../terminal/write.js'
import { table } from '../terminal/table.js'

interface Options {
  config?: string
  timeout: number
  json?: boolean
}

/** `orrery device check`: whether a device's configuration is good. */
export function deviceCheckCommand(): Command {
  return new Command('check')
    .summary("say what is wrong with a device's configuration")
    .description(
      "Says whether a device's configuration is good, and what is wrong at which line. Its MCP servers are started to see which do, and " +
        'ended again; no server is dialled.',
    )
    .option('--config <file>', 'configuration (default: the file device.jsonc in ORRERY_HOME)')
    .option('--timeout <seconds>', 'how long the MCP servers may take to start', parseSeconds, 60)
    .option('--json', 'print JSON, for programs')
    .addHelpText(
      'after',
      examples([
        ['orrery device check', 'the configuration of this machine'],
        ['orrery device check --config my-device.jsonc', 'another file, before it is used'],
      ]) + '\nExit code: 0 all is good, 1 an MCP server does not start, 2 the file is wrong.\n',
    )
    .action(check)
}

async function check({ config, timeout, json }: Options): Promise<void> {
  const [{ deviceConfigPath }, { checkDevice }] = await Promise.all([
    import('../settings/device-settings.js'),
    import('@orrery/device'),
  ])
  const path = deviceConfigPath(config)
  const { servers, warnings } = await checkDevice(path, { timeoutMs: timeout * 1000 }).catch((error: unknown) => {
    throw usageError(messageOf(error), error)
  })
  const failed = servers.filter(({ state }) => state !== 'ready')
  if (json) printJson({ file: path ?? null, servers, warnings })
  else {
    print(path === undefined ? 'There is no device.jsonc in ORRERY_HOME; without one a device has:' : `${path} is good.`)
    print()
    for (const line of serverLines(servers)) print(line)
    if (warnings.length > 0) print()
    for (const warning of warnings) print(painted`${paint('yellow', 'warning')} ${warning}`)
  }
  if (failed.length > 0) throw new CliError(`These MCP servers do not start: ${failed.map(({ name }) => name).join(', ')}`)
}

function serverLines(servers: readonly CheckedServer[]): Painted[] {
  const rows = servers.map(({ name, state, tools, error }) => [
    { text: name, style: 'bold' as const },
    { text: state, style: state === 'ready' ? ('green' as const) : ('red' as const) },
    state === 'ready' ? String(tools) : '',
    error ?? '',
  ])
  return table(['MCP SERVER', 'STATE', 'TOOLS', 'ERROR'], rows, [3])
}

function parseSeconds(text: string): number {
  const value = Number(text)
  if (value > 0 && value <= 3600) return value
  throw new InvalidArgumentError('It must be a number of seconds, at most 3600.')
}
