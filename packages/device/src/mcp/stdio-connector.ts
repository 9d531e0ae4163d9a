import { messageOf, type Clock, type Logger } from '@orrery/aip'
import { childEnvironment, type Environment } from '../process/child-environment.js'
import { programToRun } from '../process/find-program.js'
import { loadClientSdk, openConnection, type Connector } from './connection.js'
import { StdioTransport } from './stdio-transport.js'
import { DEVICE_LIMITS } from '../limits.js'
import { deviceError } from '../errors.js'

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
  { clock, env, cwd, logger }: { clock: Clock; env: Environment; cwd: string; logger: Logger },
): Connector {
  return async (options) => {
    const sdk = await loadClientSdk()
    const own = childEnvironment(env, program.env)
    const command = await programToRun(program.command, own)
    if (command === null) throw deviceError('MCP_SERVER_FAILED', { name, detail: `${program.command} is not on the PATH` })
    const transport = new StdioTransport(
      { command, args: program.args, env: own, cwd: program.cwd ?? cwd },
      { buffer: new sdk.ReadBuffer({ maxBufferSize: DEVICE_LIMITS.mcpMessage }), serialize: sdk.serializeMessage },
      clock,
      (text) => logger.debug(`[MCP] ${name}: ${text.trimEnd()}`),
    )
    try {
      return await openConnection(sdk, transport, clock, options, () => transport.describeEnd())
    } catch (error) {
      throw deviceError('MCP_SERVER_FAILED', { name, detail: `${messageOf(error)} (${transport.describeEnd()})` })
    }
  }
}
