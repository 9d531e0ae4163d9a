import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { messageOf } from '@orrery/aip'
import { checkCalls, describeProblems, readWorkflow, type WorkflowFile } from '@orrery/graph'
import { Command } from 'commander'
import { CliError, usageError } from '../terminal/errors.js'
import { examples } from '../terminal/help.js'
import { print } from '../terminal/write.js'

/** `orrery workflows check`: every mistake of workflow files, one a line, without a server. */
export function checkCommand(): Command {
  return new Command('check')
    .summary('find the mistakes of workflow files')
    .description(
      'Prints each mistake of workflow files as FILE:LINE:COLUMN: text. Needs no server and runs nothing. Exit code: 0 without mistakes, 1 with some.',
    )
    .argument('<file...>', 'workflow files')
    .addHelpText('after', examples([['orrery workflows check deploy.yaml nightly.yaml', 'two files']]))
    .action(check)
}

function check(files: readonly string[]): void {
  // Read first, so that a wrong name is not hidden behind the mistakes of another file.
  const texts = files.map((file) => ({ file, text: textOf(file) }))
  let wrong = 0
  for (const { file, text } of texts) {
    const mistakes = mistakesOf(file, text)
    if (mistakes !== null) wrong += 1
    for (const line of mistakes?.split('\n') ?? [`${file}: ok`]) print(line)
  }
  if (wrong > 0) throw new CliError(wrong === 1 ? 'One workflow has mistakes' : `${wrong} workflows have mistakes`)
}

function mistakesOf(file: string, text: string): string | null {
  const reading = readWorkflow(text)
  if ('problems' in reading) return describeProblems(file, reading.problems)
  const problems = checkCalls(text, reading.workflow, (name) => neighbour(file, name))
  return problems.length === 0 ? null : describeProblems(file, problems)
}

/** Returns a called workflow that is in the same folder; the server looks in its own folder, so another one may be right too. */
function neighbour(file: string, name: string): WorkflowFile | null {
  for (const ending of ['yaml', 'yml']) {
    try {
      const reading = readWorkflow(readFileSync(join(dirname(file), `${name}.${ending}`), 'utf8'))
      return 'workflow' in reading ? reading.workflow : null
    } catch {
      // It is not here.
    }
  }
  return null
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw usageError(`Cannot read the workflow: ${messageOf(error)}`, error)
  }
}
