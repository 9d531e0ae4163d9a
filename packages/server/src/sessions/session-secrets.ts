import { createHash } from 'node:crypto'
import { EncodedValue, type Command } from '@orrery/aip'
import type { SecretPlace } from '@orrery/aip/records'
import type { SecretPlaceholders } from '../agents/agent.js'
import type { SecretSources } from '../config/secret-sources.js'
import { secretForms } from './secret-forms.js'

/** What stands for a secret wherever it is recorded or shown. */
const HIDDEN = '***'

/**
 * The secrets of one session. Its agent gets place-holders; the values are put into the commands that a device gets, and taken out of all that
 * comes back. Records hold neither.
 */
export class SessionSecrets {
  readonly #sources: SecretSources
  /** Random, and it never leaves the process, so no text of a device can contain a place-holder of this session. */
  readonly #mark = `\u2045${crypto.randomUUID()}:`
  readonly #markers = new RegExp(`${this.#mark}(\\w+)\u2046`, 'g')
  /** Names whose values may turn up in results. */
  readonly #used: Set<string>
  /** What is hidden: values that were sent, in each form in which they may come back, longest first. */
  #hidden: readonly string[] = []
  #ready: Promise<void> | null = null
  /** Whether there are place-holders. */
  #given = false
  /** A value that was sent before a restart is no longer known, so it cannot be found in results. */
  #lost = false

  /** @param used names of the secrets that were sent before a restart */
  constructor(sources: SecretSources, used: readonly string[] = []) {
    this.#sources = sources
    this.#used = new Set(used)
  }

  /** What an agent may put into commands. */
  get placeholders(): SecretPlaceholders {
    const of = (name: string): string => {
      this.#given = true
      return `${this.#mark}${name}\u2046`
    }
    return { mark: this.#mark, of }
  }

  /** Settles when all that {@link masked} must hide is known. Never rejects. */
  ready(): Promise<void> {
    this.#ready ??= Promise.all([...this.#used].map((name) => this.#valueOf(name))).then(
      () => {},
      () => {
        this.#lost = true
      },
    )
    return this.#ready
  }

  /** Returns commands with `***` in place of each place-holder, and where these were. */
  taken(commands: readonly Omit<Command, 'call_id'>[]): {
    commands: readonly Omit<Command, 'call_id'>[]
    secrets: SecretPlace[]
  } {
    if (!this.#given) return { commands, secrets: [] }
    const secrets: SecretPlace[] = []
    const taken = commands.map((command, index) => {
      const take = (value: unknown, path: (string | number)[]): unknown => {
        if (typeof value === 'string') return value.includes(this.#mark) ? this.#takenText(value, index, path, secrets) : value
        if (Array.isArray(value)) return value.map((item, at) => take(item, [...path, at]))
        if (!isPlain(value)) return value
        return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, take(item, [...path, key])]))
      }
      return { ...command, parameters: take(command.parameters, []) as Command['parameters'] }
    })
    return { commands: taken, secrets }
  }

  #takenText(text: string, command: number, path: readonly (string | number)[], secrets: SecretPlace[]): string {
    let taken = ''
    let from = 0
    for (const match of text.matchAll(this.#markers)) {
      taken += text.slice(from, match.index)
      secrets.push({ command, path: [...path], at: taken.length, name: match[1] ?? '' })
      taken += HIDDEN
      from = match.index + match[0].length
    }
    return taken + text.slice(from)
  }

  /** Returns commands with the values of their secrets, for the device alone. @throws AipError `SECRET_UNREADABLE` */
  async filled(commands: readonly Command[], secrets: readonly SecretPlace[]): Promise<Command[]> {
    const values = new Map<string, string>()
    for (const { name } of secrets) if (!values.has(name)) values.set(name, await this.#valueOf(name))
    const filled = commands.map((command) => ({ ...command, parameters: structuredCopy(command.parameters) }))
    // From the last to the first, so that places before stay where they are.
    for (const { command, path, at, name } of secrets.toReversed()) {
      const put = (text: string): string => text.slice(0, at) + (values.get(name) ?? '') + text.slice(at + HIDDEN.length)
      const parameters = filled[command]?.parameters
      if (parameters !== undefined && parameters !== null) change(parameters, path, put)
    }
    return filled
  }

  /** Returns a JSON value without the values of secrets and without place-holders. To be called once {@link ready} has settled. */
  masked<T>(value: T): T {
    if (this.#lost) return hideAll(value) as T
    if (!this.#given && this.#hidden.length === 0) return value
    return this.#masked(value) as T
  }

  #masked(value: unknown): unknown {
    if (typeof value === 'string') return this.#maskedText(value)
    if (Array.isArray(value)) return value.map((item) => this.#masked(item))
    if (value instanceof EncodedValue) return this.#maskedBytes(value)
    if (!isPlain(value)) return value
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [this.#maskedText(key), this.#masked(item)]))
  }

  #maskedText(text: string): string {
    let clean = text.includes(this.#mark) ? text.replaceAll(this.#markers, HIDDEN) : text
    for (const secret of this.#hidden) if (clean.includes(secret)) clean = clean.replaceAll(secret, HIDDEN)
    return clean
  }

  #maskedBytes(value: EncodedValue): EncodedValue {
    const text = new TextDecoder().decode(value.jsonBytes)
    const clean = JSON.stringify(this.#masked(value.toJSON()))
    if (clean === text || this.#hidden.length === 0) return value
    const bytes = new TextEncoder().encode(clean)
    return new EncodedValue(createHash('sha256').update(bytes).digest('hex'), bytes)
  }

  async #valueOf(name: string): Promise<string> {
    const value = await this.#sources.read(name)
    this.#used.add(name)
    this.#hidden = [...new Set([...this.#hidden, ...secretForms(value)])].sort((a, b) => b.length - a.length)
    return value
  }
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !('toJSON' in value)
}

/** Copies lists and objects; values that write themselves as JSON are kept. */
function structuredCopy<T>(value: T): T {
  if (Array.isArray(value)) return value.map((item: unknown) => structuredCopy(item)) as T
  if (!isPlain(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, structuredCopy(item)])) as T
}

/** Changes the text at a path. */
function change(root: object, path: readonly (string | number)[], put: (text: string) => string): void {
  let at: unknown = root
  for (const key of path.slice(0, -1)) at = typeof at === 'object' && at !== null ? Reflect.get(at, key) : undefined
  const last = path.at(-1)
  if (typeof at !== 'object' || at === null || last === undefined) return
  const text: unknown = Reflect.get(at, last)
  if (typeof text === 'string') Reflect.set(at, last, put(text))
}

/** Hides every text of a value. */
function hideAll(value: unknown): unknown {
  if (typeof value === 'string') return HIDDEN
  if (value instanceof EncodedValue) return HIDDEN
  if (Array.isArray(value)) return value.map(hideAll)
  return isPlain(value) ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, hideAll(item)])) : value
}
