import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { CliError } from '../terminal/errors.js'

const NAME = '@modelcontextprotocol/server-everything'

/** The file that starts the MCP server of the demo. @throws {CliError} if it is not installed */
export function everythingServer(): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    const home = join(folder, 'node_modules', NAME)
    if (existsSync(join(home, 'package.json'))) return join(home, mainOf(home))
    if (folder === dirname(folder)) throw new CliError(`The demo needs the package ${NAME}: npm install ${NAME}`)
  }
}

function mainOf(home: string): string {
  const manifest: unknown = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'))
  return z.object({ bin: z.record(z.string(), z.string()) }).parse(manifest).bin['mcp-server-everything'] ?? ''
}
