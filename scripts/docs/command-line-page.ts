import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { GENERATED } from './markdown.ts'

const MAIN = fileURLToPath(new URL('../../packages/cli/bin/orrery.js', import.meta.url))
const COMMANDS = [
  'demo',
  'up',
  'server',
  'device',
  'run',
  'call',
  'cancel',
  'devices',
  'tools',
  'workflows',
  'sessions',
  'session',
]

/** The page of the command line: what each command says of itself. */
export async function commandLinePage(): Promise<string> {
  const pages = await Promise.all([help(), ...COMMANDS.map(help)])
  const sections = pages.map(
    (text, index) => `## orrery${index === 0 ? '' : ` ${COMMANDS[index - 1] ?? ''}`}\n\n\`\`\`text\n${text.trim()}\n\`\`\`\n`,
  )
  return `${GENERATED}# The command line

Exit codes: 0 done, 1 failed, 2 called with something wrong, 130 interrupted. A flag beats the environment, which beats a file.

${sections.join('\n')}`
}

async function help(command?: string): Promise<string> {
  const args = command === undefined ? ['--help'] : [command, '--help']
  const { stdout } = await promisify(execFile)(process.execPath, [MAIN, ...args], { env: { NO_COLOR: '1', HOME: '/' } })
  return stdout
}
