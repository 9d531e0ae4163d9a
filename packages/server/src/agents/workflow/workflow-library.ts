import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { LIMITS, aipError, exceeds, jsonShape, messageOf, shownName, type Logger } from '@orrery/aip'
import type { WorkflowSummary } from '@orrery/aip/api'
import { parsePlan } from '../model/parse-plan.js'
import { withoutGalaxyForm } from './galaxy-request.js'
import { parseWorkflow } from './parse-workflow.js'
import { resolveInputs } from './resolve-inputs.js'
import { summaryOf } from './workflow-summary.js'
import type { Work } from '@orrery/aip/records'
import { SERVER_LIMITS } from '../../limits.js'
import { serverError } from '../../errors.js'

/** The workflows that come with the server. */
const BUNDLED = fileURLToPath(new URL('../../../workflows/', import.meta.url))

/** The workflows that a server knows by name: the bundled ones, and those in its data folder, which come first. */
export class WorkflowLibrary {
  readonly #folders: readonly string[]
  readonly #logger: Logger
  /** Reads that have not ended, by path: many requests for one workflow at once read its file once. */
  readonly #reads = new Map<string, Promise<string | null>>()
  /** The last read; files are read one after the other, so that requests do not use up what may be open. */
  #lastRead: Promise<unknown> = Promise.resolve()
  #list: Promise<WorkflowSummary[]> | null = null

  /** @param folder of the user's own workflows; it need not exist */
  constructor(folder: string | null, logger: Logger) {
    this.#folders = folder === null ? [BUNDLED] : [folder, BUNDLED]
    this.#logger = logger
  }

  /** Lists all workflows by name. A file that cannot be read is logged and left out. */
  list(): Promise<WorkflowSummary[]> {
    this.#list ??= this.#readAll().finally(() => {
      this.#list = null
    })
    return this.#list
  }

  async #readAll(): Promise<WorkflowSummary[]> {
    const found = new Map<string, WorkflowSummary>()
    for (const folder of this.#folders) {
      for (const file of await yamlFiles(folder)) {
        try {
          const text = await this.#read(join(folder, file))
          if (text === null) continue
          // A plan in words has no name, description or inputs, so it is not listed.
          if (parsePlan(text) !== null) continue
          const workflow = parseWorkflow(text, file)
          if (!found.has(workflow.name)) found.set(workflow.name, summaryOf(workflow))
        } catch (error) {
          this.#logger.warn(`Workflow left out: ${messageOf(error)}`)
        }
      }
    }
    return [...found.values()].sort((a, b) => a.name.localeCompare(b.name))
  }

  /**
   * Returns the work of a request: words, unless it begins with `workflow:NAME`, optionally followed by its inputs as JSON.
   * @throws AipError `WORKFLOW_NOT_FOUND`, `INVALID_WORKFLOW` or `INVALID_INPUTS`
   */
  async workOf(request: string): Promise<Work> {
    const match = /^\s*workflow:(\S+)(?:\s+([\s\S]*))?$/.exec(withoutGalaxyForm(request))
    if (match === null) return { kind: 'words', request }
    const [, name = '', inputs = ''] = match
    return this.workOfSource(await this.#source(name), `${name}.yaml`, parseInputs(name, inputs))
  }

  /** Returns the work of a workflow's text, or of a plan in words. @throws AipError `INVALID_WORKFLOW` or `INVALID_INPUTS` */
  workOfSource(source: string, file: string, inputs: Record<string, unknown>): Work {
    const plan = source.length > SERVER_LIMITS.plan ? null : parsePlan(source)
    if (plan !== null) return plan
    const workflow = parseWorkflow(source, file)
    return { kind: 'workflow', name: workflow.name, file, source, inputs: resolveInputs(workflow, inputs) }
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

  async #source(name: string): Promise<string> {
    // The name becomes part of a path, so it must be a valid name.
    if (/^[a-z0-9-]+$/.test(name)) {
      for (const folder of this.#folders) {
        for (const file of [`${name}.yaml`, `${name}.yml`]) {
          const source = await this.#read(join(folder, file))
          if (source !== null) return source
        }
      }
    }
    const names = (await this.list()).map((workflow) => workflow.name)
    throw serverError('WORKFLOW_NOT_FOUND', { name: shownName(name), names: names.join(', ') })
  }
}

/** @throws the error of the system, except for a file that does not exist */
async function textOf(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
}

async function yamlFiles(folder: string): Promise<string[]> {
  const files = await readdir(folder).catch(() => [])
  return files.filter((file) => /\.ya?ml$/.test(file)).sort()
}

function parseInputs(name: string, text: string): Record<string, unknown> {
  if (text.trim() === '') return {}
  const bounds = { depth: LIMITS.nesting, values: LIMITS.messageValues, widest: LIMITS.objectKeys }
  if (exceeds(jsonShape(text, bounds), bounds)) throw aipError('TOO_MANY_VALUES', { limit: bounds.values, keys: bounds.widest })
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  } catch {
    // The same text as for JSON that is not an object.
  }
  throw serverError('INVALID_INPUTS', {
    name: shownName(name),
    detail: 'what follows the name must be a JSON object',
    takes: 'inputs such as {"path": "/"}',
  })
}
