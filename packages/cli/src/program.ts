import type { Command } from 'commander'
import { baseProgram } from './base-program.js'
import { answerCommand } from './commands/answer.js'
import { auditCommand } from './commands/audit.js'
import { callCommand } from './commands/call.js'
import { cancelCommand } from './commands/cancel.js'
import { cpCommand } from './commands/cp.js'
import { demoCommand } from './commands/demo.js'
import { deviceCommand } from './commands/device.js'
import { devicesCommand } from './commands/devices.js'
import { execCommand } from './commands/exec.js'
import { helpCommand } from './commands/help.js'
import { initCommand } from './commands/init.js'
import { modelCommand } from './commands/model.js'
import { policyCommand } from './commands/policy.js'
import { runCommand } from './commands/run.js'
import { sayCommand } from './commands/say.js'
import { serverCommand } from './commands/server.js'
import { sessionCommand } from './commands/session.js'
import { sessionsCommand } from './commands/sessions.js'
import { shellCommand } from './commands/shell.js'
import { toolsCommand } from './commands/tools.js'
import { workflowsCommand } from './commands/workflows.js'
import { upCommand } from './commands/up.js'
import { firstSteps, styleHelp } from './terminal/help.js'

/** The whole command line. Its parse functions throw `CommanderError` instead of ending the process. */
export function buildProgram(): Command {
  const program = baseProgram(
    'Runs agent tasks on many machines: a server, devices that connect to it, and the commands to work with them.',
  ).addHelpText('after', firstSteps)
  program.commandsGroup('Start:')
  for (const command of [demoCommand(), upCommand(), serverCommand(), deviceCommand()]) program.addCommand(command)
  program.commandsGroup('Work:')
  for (const command of [
    runCommand(),
    execCommand(),
    shellCommand(),
    callCommand(),
    cpCommand(),
    sayCommand(),
    cancelCommand(),
    answerCommand(),
  ])
    program.addCommand(command)
  program.commandsGroup('Look:')
  for (const command of [devicesCommand(), toolsCommand(), workflowsCommand(), sessionsCommand(), sessionCommand()])
    program.addCommand(command)
  program.addCommand(helpCommand(program))
  program.commandsGroup('This machine:')
  for (const command of [initCommand(), modelCommand(), policyCommand(), auditCommand()]) program.addCommand(command)
  styleHelp(program)
  return program
}
