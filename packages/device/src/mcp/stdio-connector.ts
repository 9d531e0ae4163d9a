import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { messageOf, type Clock, type Logger } from '@orrery/aip'
import { childEnvironment, type Environment } from '../process/child-environment.js'
import { programToRun } from '../process/find-program.js'
import { loadClientSdk, openConnection, type Connector } from './connection.js'
import { LenientTransport } from './lenient-transport.js'
import { AnswerMender } from './mend-answers.js'
import { StdioTransport } from './stdio-transport.js'

/** A server as a program. */
export interface Program {
  command: string
  args: string[]
  env: Record<string, string>
  cwd?: string | undefined
}

/** Connects to a server that runs as a child process. @param name of the server, for the log */
export function stdioConnector(
  name: string,
  program: Program,
  { clock, env, cwd: ownFolder, logger }: { clock: Clock; env: Environment; cwd: string; logger: Logger },
): Connector {
  return async (options) => {
    const sdk = await loadClientSdk()
    const environment = childEnvironment(env, program.env)
    const cwd = folderOf(program.cwd) ?? ownFolder
    const command = await programToRun(program.command, environment)
    if (command === null) throw new Error(notFound(program.command, environment))
    const mender = new AnswerMender(sdk, options.onFlaw)
    let transport: StdioTransport | null = null
    let greeted = false
    const connect = (): LenientTransport => {
      const made = new StdioTransport(
        { command, args: program.args, env: environment, cwd },
        { parse: sdk.parseJSONRPCMessage, serialize: sdk.serializeMessage },
        clock,
        {
          // While it starts, what it says shows whether to wait: a package runner downloads.
          onStderr: (text) => logger[greeted ? 'debug' : 'info'](`[MCP] ${name}: ${text.trimEnd()}`),
          onUnreadable: (id, reason) => lenient.unreadable(id, reason),
        },
      )
      const lenient = new LenientTransport(made, { mender, clock })
      transport = made
      return lenient
    }
    try {
      const describeEnd = (): string => transport?.describeEnd() ?? 'did not start'
      const connection = await openConnection(sdk, connect, { ...options, clock, describeEnd })
      greeted = true
      return connection
    } catch (error) {
      throw new Error(startFailure(error, program.command, cwd, environment, transport), { cause: error })
    }
  }
}

/** Returns a folder as a host writes it: no shell expands the `~` of a configuration. */
function folderOf(cwd: string | undefined): string | undefined {
  return cwd?.replace(/^~(?=$|[\\/])/, () => homedir())
}

/** The system reports a missing program and a missing folder alike. */
function startFailure(error: unknown, command: string, cwd: string, env: Environment, transport: StdioTransport | null): string {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
    if (!existsSync(cwd)) return `the folder ${cwd} does not exist (ENOENT)`
    return /[\\/]/.test(command) ? `the program ${command} does not exist (ENOENT)` : notFound(command, env)
  }
  return `${messageOf(error)} (${transport?.describeEnd() ?? 'did not start'})`
}

function notFound(command: string, env: Environment): string {
  return `the program ${command} was not found (ENOENT); PATH is ${env['PATH'] ?? 'not set'}`
}
