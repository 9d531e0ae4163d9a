import { readFile, stat } from 'node:fs/promises'
import { messageOf, shownName, type AipError } from '@orrery/aip'
import { SERVER_LIMITS } from '../limits.js'
import { serverError } from '../errors.js'

/** Where a secret of workflows is: in a variable of the environment, or in a file. */
export type SecretSource = { env: string } | { file: string }

/** A variable with this prefix is a secret without being configured. */
const PREFIX = 'ORRERY_SECRET_'

/**
 * The secrets that workflows may use, by name; the case of a name does not count. They are read each time they are needed, so a file may change,
 * and no value is kept here.
 */
export class SecretSources {
  readonly #environment: Readonly<Record<string, string | undefined>>
  readonly #sources = new Map<string, { name: string; source: SecretSource }>()

  /** @param environment its variables `ORRERY_SECRET_NAME` are secrets too; those that are configured come first */
  constructor(
    configured: Readonly<Record<string, SecretSource>> = {},
    environment: Readonly<Record<string, string | undefined>> = {},
  ) {
    this.#environment = environment
    for (const variable of Object.keys(environment))
      if (variable.startsWith(PREFIX) && variable.length > PREFIX.length)
        this.#add(variable.slice(PREFIX.length), { env: variable })
    for (const [name, source] of Object.entries(configured)) this.#add(name, source)
  }

  #add(name: string, source: SecretSource): void {
    this.#sources.set(name.toLowerCase(), { name, source })
  }

  has(name: string): boolean {
    return this.#sources.has(name.toLowerCase())
  }

  /** Returns the error of a secret that is not here. @param file of the workflow that uses it */
  notFound(name: string, file: string): AipError {
    const names = [...this.#sources.values()].map((each) => each.name)
    return serverError('SECRET_NOT_FOUND', { name: shownName(name), names: names.length === 0 ? 'none' : names.join(', '), file })
  }

  /** Returns the value of a secret. @throws AipError `SECRET_UNREADABLE` */
  async read(name: string): Promise<string> {
    const found = this.#sources.get(name.toLowerCase())
    if (found === undefined) throw unreadable(name, 'this server no longer has it')
    const value =
      'env' in found.source ? this.#variable(found.name, found.source.env) : await contentOf(found.name, found.source.file)
    if (value.length < SERVER_LIMITS.shortestSecret)
      throw unreadable(found.name, `it must have at least ${SERVER_LIMITS.shortestSecret} characters`)
    return value
  }

  #variable(name: string, variable: string): string {
    const value = this.#environment[variable]
    if (value === undefined || value === '') throw unreadable(name, `the variable ${variable} of the server is not set`)
    return value
  }
}

/** Returns the content of a file without the end of its last line. */
async function contentOf(name: string, file: string): Promise<string> {
  try {
    const { size } = await stat(file)
    if (size > SERVER_LIMITS.secretFile) throw unreadable(name, `its file has more than ${SERVER_LIMITS.secretFile} bytes`)
    return (await readFile(file, 'utf8')).replace(/\r?\n$/, '')
  } catch (error) {
    throw error instanceof Error && 'code' in error && error.code === 'SECRET_UNREADABLE'
      ? error
      : unreadable(name, messageOf(error))
  }
}

function unreadable(name: string, detail: string): AipError {
  return serverError('SECRET_UNREADABLE', { name: shownName(name), detail })
}
