import type { McpServer } from '@modelcontextprotocol/server'
import type { ToolContext } from '../tool-context.js'
import { deleteFile } from './delete-file.js'
import { editFile } from './edit-file.js'
import { listFiles, statFile } from './list-files.js'
import { moveFile } from './move-file.js'
import { readFile } from './read-file.js'
import { receiveFile } from './receive-file.js'
import { searchFiles } from './search-files.js'
import { sendFile } from './send-file.js'
import { writeFile } from './write-file.js'

/** The tools of the server `files`. */
export const FILES_TOOLS = [
  listFiles,
  statFile,
  readFile,
  searchFiles,
  writeFile,
  editFile,
  moveFile,
  deleteFile,
  sendFile,
  receiveFile,
] as const

/** The built-in server `files`: files and folders under the roots of the device. */
export async function createFilesServer({ roots, clock, env, transfers }: ToolContext): Promise<McpServer> {
  const { McpServer } = await import('@modelcontextprotocol/server')
  const server = new McpServer({ name: 'files', version: '1.0.0' })
  for (const tool of FILES_TOOLS) tool.register(server, { roots, clock, env, transfers })
  return server
}
