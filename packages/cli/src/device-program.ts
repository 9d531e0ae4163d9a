import type { Command } from 'commander'
import { baseProgram } from './base-program.js'
import { auditCommand } from './commands/audit.js'
import { deviceCommand } from './commands/device.js'
import { initCommand } from './commands/init.js'
import { helpCommand } from './commands/help.js'
import { policyCommand } from './commands/policy.js'
import { styleHelp } from './terminal/help.js'

/** The command line of the package for devices: what a machine needs that is only a device. */
export function buildDeviceProgram(): Command {
  const program = baseProgram('Connects this machine to an Orrery server, which may then run the tools that its owner allows.')
  for (const command of [deviceCommand(), initCommand(), policyCommand(), auditCommand()]) program.addCommand(command)
  program.addCommand(helpCommand(program))
  styleHelp(program)
  return program
}
