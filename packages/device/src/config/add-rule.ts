import { randomUUID } from 'node:crypto'
import { open, readFile, realpath, rename, stat, unlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { messageOf } from '@orrery/aip'
import { applyEdits, findNodeAtLocation, modify, parse, parseTree, type JSONPath, type Node } from 'jsonc-parser'
import { deviceError } from '../errors.js'
import { ruleText, type AlwaysRule } from '../policy/always-rule.js'
import type { PolicyRule } from '../policy/policy-config.js'
import type { Environment } from '../process/child-environment.js'
import { parseDeviceConfig } from './load-device-config.js'

/** Permissions of a new file: it may get a key later. */
const OWNER_ONLY = 0o600

/**
 * Adds a rule to a configuration file, which is made if it is missing. Comments and formatting stay; readers see the old file or the new one.
 * @param rules those in effect: a file with others has changed meanwhile, and the place of the rule would be another
 * @throws AipError `RULE_NOT_ADDED` if the file is invalid, has changed or cannot be written; nothing has changed then
 */
export async function addRule(
  path: string,
  added: AlwaysRule,
  rules: readonly PolicyRule[],
  env: Environment = process.env,
): Promise<void> {
  try {
    // A link, as from a folder of settings under version control, stays one.
    const file = await realpath(path).catch(() => path)
    const before = await readFile(file, 'utf8').catch((error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
      throw error
    })
    const text = before ?? '{}\n'
    if (!isDeepStrictEqual(parseDeviceConfig(text, path, env).policy.rules, rules))
      throw new Error('its rules have changed and are not taken up yet')
    const next = withRule(text, added)
    if (!isDeepStrictEqual(parseDeviceConfig(next, path, env).policy.rules, rules.toSpliced(added.at, 0, added.rule)))
      throw new Error('the rule cannot be put in its place there')
    await replace(file, next, before === null ? OWNER_ONLY : (await stat(file)).mode)
  } catch (error) {
    throw deviceError('RULE_NOT_ADDED', { file: path, detail: messageOf(error) })
  }
}

function withRule(text: string, { rule, at }: AlwaysRule): string {
  const list = rulesIn(text)
  if (list !== null && (list.children ?? []).length > 0) return withItem(text, list, at, ruleText(rule))
  // What is inserted is laid out with a line for each key; a word is not, and the rule then takes its place.
  const word = randomUUID()
  const [path, value] = placeIn(parse(text), word)
  const formattingOptions = { insertSpaces: !/^\t/m.test(text), tabSize: 2, eol: lineEnd(text) }
  const edits = modify(text, path, value, { isArrayInsertion: typeof path.at(-1) === 'number', formattingOptions })
  return applyEdits(text, edits).replace(JSON.stringify(word), () => ruleText(rule))
}

function rulesIn(text: string): Node | null {
  const root = parseTree(text, [], { allowTrailingComma: true })
  const policy = root && findNodeAtLocation(root, ['policy'])
  const list = policy?.type === 'object' ? findNodeAtLocation(policy, ['rules']) : policy
  return list?.type === 'array' ? list : null
}

/** Inserts behind the item before, and behind a comment on its line: such a comment is about that item, and one above the next about the next. */
function withItem(text: string, list: Node, at: number, item: string): string {
  const items = list.children ?? []
  const before = items[at - 1]
  const start = before === undefined ? list.offset + 1 : before.offset + before.length
  const { end, comma, endsLine } = restOfLine(text, start)
  const next = items[at] ?? before ?? list
  const indent = /[ \t]*$/.exec(text.slice(0, next.offset))?.[0] ?? ''
  const gap = endsLine ? lineEnd(text) + indent : before === undefined ? '' : ' '
  const follows = before === undefined || comma
  const added = gap + item + (follows ? ',' : '') + (endsLine || before !== undefined ? '' : ' ')
  return text.slice(0, start) + (follows ? '' : ',') + text.slice(start, end) + added + text.slice(end)
}

/** What follows an item on its line: where it ends, and whether a comma is among it. */
function restOfLine(text: string, start: number): { end: number; comma: boolean; endsLine: boolean } {
  let comma = false
  let end = start
  for (const [piece] of text.slice(start).matchAll(/[ \t]+|,|\/\/[^\r\n]*|\/\*[^]*?\*\//gy)) {
    comma ||= piece === ','
    end += piece.length
  }
  const rest = text.slice(start, end)
  return { end: start + rest.trimEnd().length, comma, endsLine: /^[\r\n]/.test(text.slice(end)) }
}

function lineEnd(text: string): string {
  return text.includes('\r\n') ? '\r\n' : '\n'
}

/** Where the first rule belongs, whatever form the policy has, and what is put there. */
function placeIn(config: unknown, word: string): [JSONPath, unknown] {
  const policy = valueOf(config, 'policy')
  if (Array.isArray(policy)) return [['policy', 0], word]
  if (policy === undefined) return [['policy'], [word]]
  return valueOf(policy, 'rules') === undefined ? [['policy', 'rules'], [word]] : [['policy', 'rules', 0], word]
}

function valueOf(object: unknown, key: string): unknown {
  return typeof object === 'object' && object !== null ? Object.entries(object).find(([name]) => name === key)?.[1] : undefined
}

async function replace(path: string, text: string, mode: number): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}-${randomUUID()}.tmp`)
  try {
    const file = await open(temporary, 'wx', mode)
    try {
      await file.writeFile(text)
      await file.chmod(mode)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (error) {
    await unlink(temporary).catch(() => {})
    throw error
  }
}
