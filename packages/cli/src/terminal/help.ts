import type { Command } from 'commander'
import { orrery } from './invocation.js'
import { joined, paint, painted, rendered, singleLine, type Painted } from './painted.js'
import { note, writeHelp } from './write.js'

/** The example section of a command's help: command lines, each with what it is for. */
export function examples(lines: readonly (readonly [line: string, meaning: string])[]): string {
  const rows = lines.map(([line, meaning]) => painted`  ${shown(line)}\n      ${paint('dim', meaning)}`)
  return help(painted`\n${paint('bold', 'Examples:')}\n${joined(rows, '\n')}\n`)
}

/** What the top level shows below its commands. */
export function firstSteps(): string {
  const steps = [
    ['orrery up', 'start a server with this machine as its first device'],
    ['orrery devices', 'in another terminal: see what is connected'],
    [`orrery exec -- uptime`, 'run a program on it'],
  ] as const
  const rows = steps.map(([line, meaning], index) => painted`  ${index + 1}. ${shown(line)}\n      ${paint('dim', meaning)}`)
  const more = orrery('run --help')
  return help(painted`\n${paint('bold', 'Try these first:')}\n${joined(rows, '\n')}\n\nEvery command explains itself: ${more}\n`)
}

/** Sets the layout of the help and the form of errors for a command and those below it. */
export function styleHelp(command: Command): void {
  command
    .helpCommand(false)
    .configureHelp({ styleTitle: (title) => help(paint('bold', title)), subcommandTerm: (child) => child.name() })
    .configureOutput({
      writeOut: (text) => writeHelp(process.stdout, text),
      writeErr: (text) => writeHelp(process.stderr, text),
      outputError: (text) => note(usageLine(command, text)),
    })
    .exitOverride()
  for (const child of command.commands) styleHelp(child)
}

/** Commander's error and its suggestion as one line, with how to get help. */
function usageLine(command: Command, text: string): Painted {
  const message = singleLine(text.replace(/^error: /, ''))
  const names: string[] = []
  for (let each = command; each.parent !== null; each = each.parent) names.unshift(each.name())
  const path = [...names, '--help'].join(' ')
  return painted`${paint('red', 'orrery:')} ${message}${/[.)]$/.test(message) ? '' : '.'} See '${orrery(path)}'`
}

/** The help as Commander takes it: a text that has its colours. */
function help(text: Painted): string {
  return rendered(text, process.stdout)
}

function shown(line: string): string {
  return line.startsWith('orrery ') ? orrery(line.slice('orrery '.length)) : line
}
