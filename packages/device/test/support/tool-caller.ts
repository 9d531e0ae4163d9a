import { DeviceConfig, type DeviceOptions } from '../../src/index.js'
import { ALLOW_ALL } from './config.js'
import { online } from './running-device.js'

/** What a call gave. */
export interface CallResult {
  status: string
  error: string | null
  result: unknown
}

/** A device whose tools a test calls. */
export interface ToolCaller extends AsyncDisposable {
  call(tool: string, parameters?: object): Promise<CallResult>
  /** Several calls in one batch. */
  batch(...calls: [tool: string, parameters: object][]): Promise<CallResult[]>
  /** The value of a call that must succeed. */
  value<T>(tool: string, parameters?: object): Promise<T>
  /** The error of a call that must fail. */
  error(tool: string, parameters?: object): Promise<string>
}

/**
 * Starts a device behind a real socket. Unless the configuration says something else, everything is allowed.
 * @param agreement of the registration; default: none, as with an existing server
 */
export async function toolCaller(options: Partial<DeviceOptions>, agreement: unknown = null): Promise<ToolCaller> {
  const running = await online({ config: DeviceConfig.parse({ policy: ALLOW_ALL }), ...options }, agreement)
  const call = async (tool: string, parameters: object = {}): Promise<CallResult> => {
    const [result] = await running.connection.run([{ tool_name: tool, parameters }])
    return result as unknown as CallResult
  }
  return {
    call,
    batch: async (...calls) => {
      const actions = calls.map(([tool, parameters]) => ({ tool_name: tool, parameters }))
      return (await running.connection.run(actions)) as unknown as CallResult[]
    },
    async value<T>(tool: string, parameters?: object) {
      const { status, error, result } = await call(tool, parameters)
      if (status !== 'success') throw new Error(`${tool}: ${error}`)
      return result as T
    },
    async error(tool, parameters) {
      const { status, error } = await call(tool, parameters)
      if (status !== 'failure' || error === null) throw new Error(`${tool} did not fail`)
      return error
    },
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
  }
}
