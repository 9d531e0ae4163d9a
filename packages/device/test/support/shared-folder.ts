import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DeviceOptions } from '../../src/index.js'
import { toolCaller, type ToolCaller } from './tool-caller.js'

/** A folder that a device shares. */
export interface SharedFolder extends AsyncDisposable {
  root: string
  /** The folder beside it, which is not shared. */
  outside: string
  tools: ToolCaller
}

/** A root with a file in it, a folder beside it with a secret, and a device for the root. */
export async function sharedFolder(base: string, options: Partial<DeviceOptions> = {}): Promise<SharedFolder> {
  const root = join(base, 'root')
  const outside = join(base, 'outside')
  mkdirSync(root)
  mkdirSync(outside)
  writeFileSync(join(root, 'a.txt'), 'one\ntwo\nthree\n')
  writeFileSync(join(outside, 'secret'), 'secret')
  const tools = await toolCaller({ cwd: root, ...options })
  return { root, outside, tools, [Symbol.asyncDispose]: () => tools[Symbol.asyncDispose]() }
}
