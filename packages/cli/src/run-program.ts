import { inspect } from 'node:util'
import type { Command } from 'commander'
import { EXIT, report } from './terminal/errors.js'
import { installInterrupt } from './terminal/interrupt.js'
import { noteText } from './terminal/write.js'

/** Runs a command line with the arguments of this process, and sets its exit code. */
export async function runProgram(build: () => Command): Promise<void> {
  // The reader of a pipe may leave early, as `head` does; that is not a failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? EXIT.ok : EXIT.failed))
  // Node would print an error with all that it quotes as it is.
  process.on('uncaughtException', (error) => {
    noteText(inspect(error))
    process.exit(EXIT.failed)
  })
  installInterrupt()
  try {
    const program = build()
    if (process.argv.length <= 2) program.outputHelp()
    else await program.parseAsync()
  } catch (error) {
    process.exitCode = report(error)
  }
}
