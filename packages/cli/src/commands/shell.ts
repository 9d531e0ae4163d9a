import { Command } from 'commander'
import { remoteTerminal } from '../exec/remote-terminal.js'
import { type DeviceTargetOptions, connect, keyOf, namedDevice, pickDevice, withDevice } from '../settings/target.js'
import { serverTrust } from '../settings/trust.js'
import { orreryError, usageError } from '../terminal/errors.js'
import { examples } from '../terminal/help.js'
import { orrery } from '../terminal/invocation.js'

interface ShellOptions extends DeviceTargetOptions {
  cwd?: string
}

/** `orrery shell`: an interactive terminal on a device. */
export function shellCommand(): Command {
  const command = new Command('shell')
    .summary('open a terminal on a device')
    .description(
      "Opens an interactive terminal on a device, with the shell of the user whom the device runs as. The device's policy decides: with its shell full a " +
        "terminal is allowed like any command, with shell strict only if a rule is about the tool 'terminal'. All keys go to the device, Ctrl-C too; ~. at the beginning of a line leaves. " +
        "It ends with the exit code of the shell; 125 is an error of Orrery's own. What was started in it ends with it.",
    )
    .argument('[device]', 'device; may be left out if only one is online')
    .option('--cwd <folder>', 'folder of the device to start in (default: the one in which it was started)')
  return withDevice(command)
    .addHelpText(
      'after',
      examples([
        ['orrery shell', 'a terminal on the only device'],
        ['orrery shell lab', 'on one of several'],
        ['orrery exec -t lab -- htop', 'one program in a terminal'],
      ]),
    )
    .action(shell)
}

async function shell(word: string | undefined, options: ShellOptions): Promise<void> {
  const named = namedDevice(word, options)
  if (options.json === true) throw usageError('A terminal is not JSON: leave out --json')
  if (!process.stdin.isTTY || !process.stdout.isTTY)
    throw usageError(`A shell needs a terminal here. For scripts: ${orrery("exec -- sh -c '…'")}`)
  await runInTerminal(named, options, { args: [], cwd: options.cwd })
}

/** Runs a program in a terminal on the device that is meant, and makes its exit code that of this process. */
export async function runInTerminal(
  named: string | undefined,
  options: DeviceTargetOptions,
  program: { program?: string; args: readonly string[]; cwd: string | undefined },
): Promise<void> {
  try {
    const api = await connect(options)
    const device = await pickDevice(api, named, 'with --device ID')
    // A wrong key and an unknown device get a better error here than from a refused handshake.
    await api.devices.get(device)
    process.exitCode = await remoteTerminal({
      key: keyOf(options),
      trust: await serverTrust(api.server, options),
      server: api.server,
      device,
      ...program,
    })
  } catch (error) {
    throw orreryError(error)
  }
}
