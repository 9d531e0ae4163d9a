import { basename } from 'node:path'
import type { Permits } from './permits.js'
import { PolicyViolation } from './policy-violation.js'
import { shellCommand, type AllowedCommand, type ShellMode } from './shell-policy.js'
import { splitCommand } from './split-command.js'

/** Applications that `run_shell` may open (mcp-servers reference, chapter 4), without `.exe`, in lower case. */
const APPLICATIONS: ReadonlySet<string> = new Set(
  (
    'notepad calc mspaint wordpad explorer msedge chrome firefox winword excel powerpnt outlook onenote code ' +
    'gedit gnome-calculator gnome-text-editor google-chrome chromium libreoffice'
  ).split(' '),
)

/** The start of an address; one letter is a drive of Windows. */
const SCHEME = /^[a-z][a-z0-9+.-]+:/i
/** Addresses that only show something: others, such as `macro:` of LibreOffice, run what they name. */
const OPENED = /^(https?|file):/i

/**
 * Decides about the start of an application. Strict: by its name alone, with files or addresses as arguments; options are refused,
 * because many applications start programs that an option names.
 * @param permits commands that the policy of the device has let through
 * @throws PolicyViolation naming the rule
 */
export function allowLaunch(line: string, mode: ShellMode, cwd: string, permits?: Permits): AllowedCommand {
  if (mode === 'full') return shellCommand(line)
  const argv = splitCommand(line)
  if (permits?.has(argv, cwd) !== true) checkLaunch(argv)
  const [file = '', ...args] = argv
  return { file, args }
}

/** Returns whether an application may be opened with these words. @throws PolicyViolation naming the rule */
export function checkLaunch([program = '', ...args]: readonly string[]): void {
  const name = basename(program)
  if (!APPLICATIONS.has(name.toLowerCase().replace(/\.exe$/, ''))) {
    throw new PolicyViolation(
      'shell.allow-list',
      `'${name}' is not one of the applications that may be launched (${[...APPLICATIONS].join(' ')})`,
    )
  }
  if (program !== name) throw new PolicyViolation('shell.program-path', `'${program}': give the name of the application alone`)
  const option = args.find((arg) => arg.startsWith('-'))
  if (option !== undefined) throw new PolicyViolation('shell.arguments', `${name}: the option ${option} is not allowed`)
  const address = args.find((arg) => SCHEME.test(arg) && !OPENED.test(arg))
  if (address !== undefined) {
    throw new PolicyViolation('shell.arguments', `${name}: only http:, https: and file: addresses are opened, not ${address}`)
  }
}
