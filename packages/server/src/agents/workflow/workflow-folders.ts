import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { WORKFLOW_NAME } from '@orrery/graph'

/** The workflows that come with the server. */
const BUNDLED = fileURLToPath(new URL('../../../workflows/', import.meta.url))

/** The text of a workflow file. */
export interface WorkflowText {
  /** Its name without the folder. */
  file: string
  source: string
}

/** The folders with workflow files, in the order in which they are looked through. */
export class WorkflowFolders {
  readonly #folders: readonly string[]
  /** Reads that have not ended, by path: many requests for one workflow at once read its file once. */
  readonly #reads = new Map<string, Promise<string | null>>()
  /** The last read; files are read one after the other, so that requests do not use up what may be open. */
  #lastRead: Promise<unknown> = Promise.resolve()

  /** @param folder of the user's own workflows; it need not exist */
  constructor(folder: string | null) {
    this.#folders = folder === null ? [BUNDLED] : [folder, BUNDLED]
  }

  /** Returns the file of a workflow by its name; null if there is none. @throws the error of the system */
  async read(name: string): Promise<WorkflowText | null> {
    // The name becomes part of a path, so it must be a valid name.
    if (!WORKFLOW_NAME.test(name)) return null
    for (const folder of this.#folders) {
      for (const file of [`${name}.yaml`, `${name}.yml`]) {
        const source = await this.#read(join(folder, file))
        if (source !== null) return { file, source }
      }
    }
    return null
  }

  /** Reads all files; one that cannot be read comes with the reason. */
  async *all(): AsyncGenerator<WorkflowText | { file: string; problem: unknown }, void, void> {
    for (const folder of this.#folders) {
      for (const file of await yamlFiles(folder)) {
        try {
          const source = await this.#read(join(folder, file))
          if (source !== null) yield { file, source }
        } catch (problem) {
          yield { file, problem }
        }
      }
    }
  }

  /** Returns the text of a file; null if there is none. */
  #read(path: string): Promise<string | null> {
    const running = this.#reads.get(path)
    if (running !== undefined) return running
    const read = this.#lastRead.then(() => textOf(path)).finally(() => this.#reads.delete(path))
    this.#reads.set(path, read)
    this.#lastRead = read.catch(() => {})
    return read
  }
}

/** @throws the error of the system, except for a file that does not exist */
async function textOf(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    // A name that is too long for the system is that of no file.
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENAMETOOLONG')) return null
    throw error
  }
}

async function yamlFiles(folder: string): Promise<string[]> {
  const files = await readdir(folder).catch(() => [])
  return files.filter((file) => /\.ya?ml$/.test(file)).sort()
}
