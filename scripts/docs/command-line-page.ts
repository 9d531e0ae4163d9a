import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { commandsIn } from '../../test/support/commands-in.ts'
import { GENERATED } from './markdown.ts'

const MAIN = fileURLToPath(new URL('../../packages/cli/bin/orrery.js', import.meta.url))

/** The page of the command line: what each command says of itself. */
export async function commandLinePage(): Promise<string> {
  const pages = await helpPages()
  const sections = pages.map(({ words, text }) => `## ${['orrery', ...words].join(' ')}\n\n\`\`\`text\n${text.trim()}\n\`\`\`\n`)
  return `${GENERATED}# The command line

Exit codes: 0 done, 1 failed, 2 called with something wrong, 130 interrupted. \`exec\`, and \`call\` of a tool that runs a program, end with the code of the
program, or 128+n after a signal; 125 is an error of Orrery itself there. Without \`--json\` results are text, in a pipe too. \`ORRERY_DEVICE\` names the device
where a command line does not. A flag beats the environment, which beats a file.

${sections.join('\n')}`
}

interface HelpPage {
  words: readonly string[]
  text: string
}

/** The help of a command and of all below it, as the help itself names them. */
async function helpPages(words: readonly string[] = []): Promise<HelpPage[]> {
  const text = await help(words)
  const below = await Promise.all(commandsIn(text).map((name) => helpPages([...words, name])))
  return [{ words, text }, ...below.flat()]
}

async function help(words: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [MAIN, ...words, '--help'], {
    env: { NO_COLOR: '1', HOME: '/' },
  })
  return stdout
}
