import type { Command } from 'commander'
import { paint } from './output.js'
import { orrery } from './invocation.js'

/** The example section of a command's help: command lines, each with what it is for. */
export function examples(lines: readonly (readonly [line: string, meaning: string])[]): string {
  const rows = lines.map(([line, meaning]) => `  ${shown(line)}\n      ${paint('dim', meaning)}`)
  return `\n${paint('bold', 'Examples:')}\n${rows.join('\n')}\n`
}

/** What the top level shows below its commands. */
export function firstSteps(): string {
  const steps = [
    ['orrery up', 'start a server with this machine as its first device'],
    ['orrery devices', 'in another terminal: see what is connected'],
    [`orrery call execute_command '{"command": "uptime"}'`, 'run one command on it'],
  ] as const
  const rows = steps.map(([line, meaning], index) => `  ${index + 1}. ${shown(line)}\n      ${paint('dim', meaning)}`)
  return `\n${paint('bold', 'Try these first:')}\n${rows.join('\n')}\n\nEvery command explains itself: ${orrery('run --help')}\n`
}

/** Sets the layout of the help and the form of errors for a command and those below it. */
export function styleHelp(command: Command): void {
  command
    .helpCommand(false)
    .configureHelp({ styleTitle: (title) => paint('bold', title), subcommandTerm: (child) => child.name() })
    .configureOutput({ outputError: (text, write) => write(usageLine(command, text)) })
    .exitOverride()
  for (const child of command.commands) styleHelp(child)
}

/** Commander's error and its suggestion as one line, with how to get help. */
function usageLine(command: Command, text: string): string {
  const message = text
    .replace(/^error: /, '')
    .trim()
    .replaceAll(/\s*\n\s*/g, ' ')
  const path = command.parent === null ? '--help' : `${command.name()} --help`
  return `${paint('red', 'orrery:', process.stderr)} ${message}${/[.)]$/.test(message) ? '' : '.'} See '${orrery(path)}'\n`
}

function shown(line: string): string {
  return line.startsWith('orrery ') ? orrery(line.slice('orrery '.length)) : line
}
