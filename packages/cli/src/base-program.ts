import { Command, CommanderError, Option } from 'commander'
import { readFileSync } from 'node:fs'
import { EXIT } from './terminal/errors.js'
import { writeHelp } from './terminal/write.js'

/** The program `orrery` without its commands. Its parse functions throw `CommanderError` instead of ending the process. */
export function baseProgram(description: string): Command {
  return (
    new Command('orrery')
      .description(description)
      .version(version(), '-v, --version', 'print the version')
      .addOption(new Option('-V').hideHelp())
      .on('option:V', () => {
        writeHelp(process.stdout, `${version()}\n`)
        throw new CommanderError(EXIT.ok, 'commander.version', version())
      })
      .helpOption('-h, --help', 'explain a command')
      .usage('<command> [options]')
      // Options after a command are its own, also where two levels have an option of one name.
      .enablePositionalOptions()
  )
}

function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  const known = typeof manifest === 'object' && manifest !== null && 'version' in manifest
  return known ? String(manifest.version) : 'unknown'
}
