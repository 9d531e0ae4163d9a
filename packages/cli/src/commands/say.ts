import { Command } from 'commander'
import { examples } from '../terminal/help.js'
import { print, printJson } from '../terminal/write.js'
import { type TargetOptions, connect, pickSession, withTarget } from '../settings/target.js'

/** `orrery say`: a remark to a running task. */
export function sayCommand(): Command {
  const command = new Command('say')
    .summary('answer the question of a task, or add a remark to it')
    .description(
      'Says something to a task in words while it runs. If it asks a question, this is the answer; otherwise it is a remark, which is ' +
        'heard before the next step.',
    )
    .argument('<session>', 'session id; its beginning is enough')
    .argument('<text>', 'what to say')
  return withTarget(command)
    .addHelpText(
      'after',
      examples([
        ['orrery say 3f2a9c41 "yes, both of them"', 'the answer to its question'],
        ['orrery say 3f2a9c41 "leave the logs alone"', 'a remark'],
      ]),
    )
    .action(say)
}

async function say(named: string, text: string, options: TargetOptions): Promise<void> {
  const api = await connect(options)
  const id = await pickSession(api, named)
  const { question } = await api.sessions.get(id)
  const session = await (question === null ? api.sessions.remark(id, text) : api.sessions.answer(id, text, question.question_id))
  if (options.json) return printJson(session)
  print(question === null ? 'The task hears it before its next step.' : `Answered: ${question.text}`)
}
