import { Command } from 'commander'
import { usageError } from '../terminal/errors.js'
import { examples } from '../terminal/help.js'
import { orrery } from '../terminal/invocation.js'

/** `orrery help`: the help of a command. @param program the whole command line */
export function helpCommand(program: Command): Command {
  return new Command('help')
    .summary('explain a command')
    .description('Explains a command, or this program.')
    .argument('[command...]', 'the words of a command, such as policy explain')
    .addHelpText('after', examples([['orrery help policy explain', 'the same as orrery policy explain --help']]))
    .action((words: string[]) => {
      let command = program
      for (const word of words) {
        const next = command.commands.find((each) => each.name() === word)
        if (next === undefined) throw usageError(`There is no command '${words.join(' ')}': '${orrery('--help')}' lists them`)
        command = next
      }
      command.outputHelp()
    })
}
