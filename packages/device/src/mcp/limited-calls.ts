import { isAipError, withTimeLimit, type Clock } from '@orrery/aip'
import { deviceError } from '../errors.js'
import type { Connector } from './connection.js'

/**
 * A connector whose connections end calls that take too long.
 * @param seconds undefined: only the limit of every tool counts
 */
export function withLimitedCalls(connector: Connector, seconds: number | undefined, clock: Clock): Connector {
  if (seconds === undefined) return connector
  return async (options) => {
    const connection = await connector(options)
    const callTool: typeof connection.callTool = async (tool, parameters, { signal, ...rest }) => {
      const over = new AbortController()
      const call = connection.callTool(tool, parameters, { ...rest, signal: AbortSignal.any([signal, over.signal]) })
      try {
        return await withTimeLimit(call, { clock, ms: seconds * 1000, operation: tool.name, signal })
      } catch (error) {
        if (!isAipError(error, 'TIMEOUT')) throw error
        throw deviceError('TOOL_TIMEOUT', { tool: tool.name, seconds })
      } finally {
        // The server stops working on it too.
        over.abort()
      }
    }
    return new Proxy(connection, { get: (target, key) => (key === 'callTool' ? callTool : Reflect.get(target, key, target)) })
  }
}
