import type { Ability, CheckedModel } from '@orrery/server'
import { Command } from 'commander'
import { configuredModel } from '../settings/configured-model.js'
import { CliError, usageError } from '../terminal/errors.js'
import { examples } from '../terminal/help.js'
import { duration } from '../terminal/format.js'
import { type Painted, paint, painted, singleLine } from '../terminal/painted.js'
import { print, printJson } from '../terminal/write.js'
import { readServerConfig } from '../settings/server-settings.js'

interface Options {
  config?: string
  json?: boolean
}

const SETTINGS = `
The model is set where the server starts, in its environment:
  ORRERY_MODEL       its name: gpt-… with OPENAI_API_KEY, claude-… with ANTHROPIC_API_KEY, ollama/NAME for one of Ollama
  OPENAI_API_KEY, ANTHROPIC_API_KEY    the key of its provider
  OPENAI_BASE_URL    any endpoint with OpenAI's protocol, such as http://127.0.0.1:8000/v1
  OLLAMA_HOST        where Ollama is, if not on this machine
or in the block 'model' of the server's configuration, which has further settings: a fallback, limits, prices.
Without a model workflows and direct commands run as always.
`

/** `orrery model`: the model for requests in words. */
export function modelCommand(): Command {
  const check = new Command('check')
    .summary('try the model, and say what it can do')
    .description('Tries the model that a server would use here: whether it answers, calls tools and sees images.')
    .option('--config <file>', "the server's configuration (default: the file server.yaml in ORRERY_HOME)")
    .option('--json', 'print JSON, for programs')
    .addHelpText(
      'after',
      examples([
        ['orrery model check', 'the model of the environment'],
        ['orrery model check --config server.yaml', 'the model of a configuration, and its fallback'],
      ]) + '\nExit code: 0 it answers and calls tools, 1 it does not, 2 a setting is wrong or missing.\n',
    )
    .action(checkConfigured)
  return new Command('model')
    .summary('the model for requests in words')
    .description('The model for requests in words.')
    .addCommand(check)
    .addHelpText('after', SETTINGS)
}

async function checkConfigured(options: Options): Promise<void> {
  const config = await readServerConfig(options.config)
  const settings = await configuredModel(config.model)
  if (settings === undefined) throw usageError(`No model is named: set ORRERY_MODEL; 'orrery model --help' tells the rest`)
  const { checkModel } = await import('@orrery/server')
  const checked = await checkModel(settings, new AbortController().signal)
  if (options.json) printJson({ models: checked })
  else for (const [index, model] of checked.entries()) show(model, index === 0 ? 'Model' : 'Fallback')
  const unfit = checked.filter(({ answers, tools }) => !answers.able || tools?.able !== true)
  if (unfit.length > 0) throw new CliError(`Not fit for tasks: ${unfit.map(({ model }) => model).join(', ')}`)
}

function show({ model, address, answers, tools, images }: CheckedModel, title: string): void {
  print(painted`${title.padEnd(9)} ${paint('bold', model)} at ${address}`)
  print(painted`Answers   ${inWords(answers)}`)
  if (tools !== null) print(painted`Tools     ${inWords(tools)}`)
  if (images !== null) print(painted`Images    ${inWords(images)}${images.able ? '' : '; set model.images to false'}`)
}

function inWords({ able, detail, ms }: Ability): Painted {
  const mark = able ? paint('green', 'yes') : paint('red', 'no')
  return painted`${mark}, ${singleLine(detail).slice(0, 500)} ${paint('dim', `(${duration(ms)})`)}`
}
