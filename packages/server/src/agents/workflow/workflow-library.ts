import { aipError, exceeds, jsonShape, LIMITS, messageOf, parseWhole, shownName, type Logger } from '@orrery/aip'
import type { InvalidWorkflow, WorkflowSummary } from '@orrery/aip/api'
import type { Work } from '@orrery/aip/records'
import { resolveInputs, secretNames, type WorkflowFile } from '@orrery/graph'
import { parsePlan } from '../model/parse-plan.js'
import { calledWorkflows, type NamedSource } from './called-workflows.js'
import { withoutGalaxyForm } from './galaxy-request.js'
import { parseWorkflow } from './parse-workflow.js'
import { WorkflowFolders, type WorkflowText } from './workflow-folders.js'
import { workflowName } from './workflow-name.js'
import { summaryOf } from './workflow-summary.js'
import type { SecretSources } from '../../config/secret-sources.js'
import { SERVER_LIMITS } from '../../limits.js'
import { serverError } from '../../errors.js'

/** The workflows that can be called, and the files in the folders that are wrong. */
export interface ListedWorkflows {
  workflows: WorkflowSummary[]
  invalid: InvalidWorkflow[]
}

/** A workflow of the folders, by its name. */
interface Found extends NamedSource {
  summary: WorkflowSummary
}

/** The workflows that a server knows by name: the bundled ones, and those in its data folder, which come first. */
export class WorkflowLibrary {
  readonly #folders: WorkflowFolders
  readonly #secrets: SecretSources
  readonly #logger: Logger
  #reading: Promise<{ found: Map<string, Found>; invalid: InvalidWorkflow[] }> | null = null

  /** @param folder of the user's own workflows; it need not exist */
  constructor(folder: string | null, secrets: SecretSources, logger: Logger) {
    this.#folders = new WorkflowFolders(folder)
    this.#secrets = secrets
    this.#logger = logger
  }

  /** Lists all workflows by name, and the files that cannot be one; these are logged too. */
  async list(): Promise<ListedWorkflows> {
    const { found, invalid } = await this.#readAll()
    const workflows = [...found.values()].map(({ summary }) => summary)
    return { workflows: workflows.sort((a, b) => a.name.localeCompare(b.name)), invalid }
  }

  /**
   * Returns the work of a request: words, unless it begins with `workflow:NAME`, optionally followed by its inputs as JSON.
   * @throws AipError `WORKFLOW_NOT_FOUND`, `INVALID_WORKFLOW`, `SECRET_NOT_FOUND` or `INVALID_INPUTS`
   */
  async workOf(request: string): Promise<Work> {
    const match = /^\s*workflow:(\S+)(?:\s+([\s\S]*))?$/.exec(withoutGalaxyForm(request))
    if (match === null) return { kind: 'words', request }
    const [, name = '', inputs = ''] = match
    return this.workOfName(name, parseInputs(name, inputs))
  }

  /** Returns the work of a workflow of the folders. @throws AipError as {@link workOf} */
  async workOfName(name: string, inputs: Record<string, unknown>): Promise<Work> {
    const found = await this.#find(name)
    if (found === null) throw serverError('WORKFLOW_NOT_FOUND', { name: shownName(name), names: await this.#names() })
    return this.workOfSource(found.source, found.file, inputs)
  }

  /** Returns the work of a workflow's text, or of a plan in words. @throws AipError as {@link workOf} */
  async workOfSource(source: string, file: string, inputs: Record<string, unknown>): Promise<Work> {
    const plan = source.length > SERVER_LIMITS.plan ? null : parsePlan(source)
    if (plan !== null) return plan
    const workflow = parseWorkflow(source, file)
    const name = workflowName(workflow, file) ?? 'workflow'
    const resolved = resolveInputs(workflow, inputs)
    if ('problems' in resolved)
      throw serverError('INVALID_INPUTS', { name, detail: resolved.problems.join('; '), takes: resolved.takes })
    const called = await calledWorkflows(
      { name, file, source },
      (wanted) => this.#find(wanted),
      () => this.#names(),
    )
    this.#requireSecrets(workflow, file)
    for (const each of Object.values(called)) this.#requireSecrets(parseWorkflow(each.source, each.file), each.file)
    return {
      kind: 'workflow',
      name,
      file,
      source,
      inputs: resolved.values,
      ...(Object.keys(called).length === 0 ? {} : { called }),
    }
  }

  #requireSecrets(workflow: WorkflowFile, file: string): void {
    for (const name of secretNames(workflow)) if (!this.#secrets.has(name)) throw this.#secrets.notFound(name, file)
  }

  async #names(): Promise<string> {
    return (await this.list()).workflows.map(({ name }) => name).join(', ')
  }

  /** Returns a workflow by the name of its file, else by its own name, whatever its case. */
  async #find(name: string): Promise<NamedSource | null> {
    const text = await this.#folders.read(name)
    if (text !== null) return { name, ...text }
    return (await this.#readAll()).found.get(name.toLowerCase()) ?? null
  }

  #readAll(): Promise<{ found: Map<string, Found>; invalid: InvalidWorkflow[] }> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = null
    })
    return this.#reading
  }

  async #read(): Promise<{ found: Map<string, Found>; invalid: InvalidWorkflow[] }> {
    const found = new Map<string, Found>()
    const invalid: InvalidWorkflow[] = []
    for await (const each of this.#folders.all()) {
      try {
        if ('problem' in each) throw each.problem
        const named = namedWorkflow(each)
        if (named !== null && !found.has(named.name.toLowerCase())) found.set(named.name.toLowerCase(), named)
      } catch (error) {
        this.#logger.warn(`Workflow left out: ${messageOf(error)}`)
        invalid.push({ file: each.file, problems: messageOf(error).split('\n') })
      }
    }
    return { found, invalid }
  }
}

/** Returns a workflow with its name; null for a plan in words, which has no name, description or inputs. @throws AipError `INVALID_WORKFLOW` */
function namedWorkflow({ file, source }: WorkflowText): Found | null {
  if (parsePlan(source) !== null) return null
  const workflow = parseWorkflow(source, file)
  const name = workflowName(workflow, file)
  if (name === null)
    throw serverError('INVALID_WORKFLOW', {
      detail: `${file}:1:1: no workflow can be called by the name of this file: add a 'name' of letters, digits and dashes`,
    })
  return { name, file, source, summary: summaryOf(name, workflow) }
}

function parseInputs(name: string, text: string): Record<string, unknown> {
  if (text.trim() === '') return {}
  const bounds = { depth: LIMITS.nesting, values: LIMITS.messageValues, widest: LIMITS.objectKeys }
  if (exceeds(jsonShape(text, bounds), bounds)) throw aipError('TOO_MANY_VALUES', { limit: bounds.values, keys: bounds.widest })
  try {
    const value = parseWhole(text)
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
