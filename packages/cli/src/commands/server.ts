import { Command, InvalidArgumentError, Option } from 'commander'
import { usageError } from '../terminal/errors.js'
import { examples } from '../terminal/help.js'
import { inHome } from '../settings/home.js'
import { orrery } from '../terminal/invocation.js'
import { parseLogLevel } from '../settings/logging.js'
import { staySmallAsServer } from '../running/memory-guard.js'
import { paint, painted } from '../terminal/painted.js'
import { print } from '../terminal/write.js'
import { serve } from '../running/service.js'
import { type ServerFlags, serverSettings } from '../settings/server-settings.js'
import { startLocalServer } from '../running/start-server.js'

interface Options extends ServerFlags {
  local?: boolean
  config?: string
}

/** `orrery server`: an agent server. */
export function serverCommand(): Command {
  return new Command('server')
    .summary('start a server alone')
    .description('Starts an agent server: it keeps the sessions, and devices and commands connect to it.')
    .option('--host <address>', 'address to listen on; 0.0.0.0 lets other machines in (default: 127.0.0.1)')
    .option('--port <n>', 'port; 0 takes a free one (default: 5000)', parsePort)
    .option('--local', 'listen on 127.0.0.1, whatever the configuration says')
    .option(
      '--api-key <key>',
      'operator key (default: ORRERY_API_KEY, else the file operator.key in ORRERY_HOME, made if missing)',
    )
    .option('--api-key-file <file>', 'file with the operator key, which others then do not see in the list of processes')
    .option('--platform <name>', 'treat every device as of this platform')
    .option('--data-dir <folder>', 'where sessions are kept (default: the folder server in ORRERY_HOME)')
    .addOption(new Option('--durability <how>', 'full also survives power loss (default: normal)').choices(['normal', 'full']))
    .option(
      '--log-level <level>',
      'DEBUG, INFO, WARNING, ERROR, CRITICAL or OFF (default: ORRERY_LOG_LEVEL, else WARNING)',
      parseLogLevel,
    )
    .option(
      '--config <file>',
      'YAML or JSON file with these and further settings, such as model and tls; docs/schema/server.schema.json has all (default: the file server.yaml in ORRERY_HOME)',
    )
    .addHelpText(
      'after',
      examples([
        ['orrery server', 'for this machine only'],
        ['orrery server --host 0.0.0.0 --port 8080', 'for other machines too; they need a key'],
        ['orrery server --config server.json --durability full', 'with settings from a file'],
      ]),
    )
    .action(server)
}

async function server(options: Options): Promise<void> {
  staySmallAsServer()
  if (options.local && options.host !== undefined) throw usageError('Give --local or --host, not both')
  const running = await startLocalServer(
    await serverSettings(options.local ? { ...options, host: '127.0.0.1' } : options, options.config),
  )
  print(painted`Server is ready at ${paint('bold', running.url)}`)
  print(paint('dim', `Keys are in ${inHome()}. Start a device with: ${orrery('device')}`))
  await serve(() => running.stop())
}

/** Reads the value of `--port`. */
export function parsePort(text: string): number {
  const port = text.trim() === '' ? NaN : Number(text)
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port
  throw new InvalidArgumentError('It must be a whole number from 0 to 65535.')
}
