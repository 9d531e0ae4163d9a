import { defineServer } from '../built-in-server.js'
import { deleteFile } from './delete-file.js'
import { editFile } from './edit-file.js'
import type { FilesState } from './files-state.js'
import { listFiles, statFile } from './list-files.js'
import { moveFile } from './move-file.js'
import { readFile } from './read-file.js'
import { receiveFile } from './receive-file.js'
import { searchFiles } from './search-files.js'
import { sendFile } from './send-file.js'
import { writeFile } from './write-file.js'

/** The built-in server `files`: files and folders under the roots of the device. */
export const filesServer = defineServer<FilesState>(
  'files',
  () => [listFiles, statFile, readFile, searchFiles, writeFile, editFile, moveFile, deleteFile, sendFile, receiveFile],
  ({ roots, clock, env, transfers }) => ({ state: { roots, clock, env, transfers } }),
)
