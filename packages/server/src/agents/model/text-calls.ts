import { endOf, parseWhole } from '@orrery/aip'
import { parseArguments } from './parse-arguments.js'
import { SERVER_LIMITS } from '../../limits.js'

/** A call that a model wrote as text. */
export interface TextCall {
  tool: string
  input: Record<string, unknown>
}

/** The calls at the end of a text, and what the model said before them. */
export interface TextCalls {
  /** What precedes the calls. */
  said: string
  calls: TextCall[]
  /** The calls as they are in the text. */
  written: string
}

/** A way in which models write calls: where they begin, and how they are read. Each kind of model has its own marks. */
interface Form {
  begin: RegExp
  /** Reads what follows the beginning, which is part of it; null for what cannot be read. */
  read: (text: string) => TextCall[] | null
  /** Answers may begin like this as well: without a call that can be read it is one. */
  bare?: true
}

/** A name and its arguments, as most models write a call. */
const NAMES = ['name', 'tool', 'tool_name', 'function_name', 'recipient_name', 'action']
const ARGUMENTS = ['arguments', 'parameters', 'args', 'input', 'params', 'tool_input', 'action_input']
const OTHERS = new Set([...NAMES, ...ARGUMENTS, 'id', 'call_id', 'tool_call_id', 'type', 'index', 'function'])

const TAG = String.raw`<(?:\w+:)?(?:tool_?calls?|function_?calls?|tool_use)\b[^>]*>`

const FORMS: readonly Form[] = [
  { begin: /<\|?tool_calls?_(?:section_)?begin\|>|<\|tool_call_begin\|>/i, read: kimiCalls },
  { begin: /<｜tool▁calls?▁begin｜>/, read: deepSeekCalls },
  { begin: /<｜DSML｜(?:function_calls|invoke)/, read: (text) => invocations(text.replaceAll('｜DSML｜', '')) },
  { begin: /<(?:\w+:)?(?:function_calls|tool_calls?|invoke)\b[^>]*>\s*(?:<invoke\b|<parameter\b)/, read: invocations },
  { begin: /(?:<tool_call>\s*)?<function=/i, read: namedFunctions },
  { begin: /<tool_call>\s*[\w.-]+\s*<arg_key>/i, read: glmCalls },
  { begin: /\[TOOL_CALLS\]/, read: mistralCalls },
  { begin: /(?:<\|start\|>assistant)?<\|channel\|>commentary to=/, read: harmonyCalls },
  {
    begin: /<\|python_tag\|>/,
    read: (text) =>
      jsonCalls(
        text
          .replace('<|python_tag|>', '')
          .split(/;\s*(?=\{)/)
          .join('\n'),
      ),
  },
  { begin: /<\|tool_call(?:_start)?\|>/, read: (text) => jsonCalls(text.replaceAll(/<\|[\w/]+\|>/g, '\n')) },
  { begin: /<\|(?:action_start|plugin|tool_calls)\|>/, read: (text) => jsonCalls(text.replaceAll(/<\|[\w/]+\|>/g, '\n')) },
  { begin: new RegExp(TAG, 'i'), read: (text) => jsonCalls(withoutTags(text)) },
  { begin: /^Action:[ \t]*\S+[ \t]*\n+Action Input:/m, read: reactCalls },
  { begin: /<(?:tools|action|tool)>/i, read: (text) => jsonCalls(withoutTags(text)), bare: true },
  { begin: /functools\[/, read: (text) => jsonCalls(text.slice('functools'.length)), bare: true },
  { begin: /```(?:json|tool_call|tool_code|xml)?[ \t]*\n\s*[[{]/, read: fencedCalls, bare: true },
  { begin: /^\s*[[{]/, read: (text) => jsonCalls(text), bare: true },
]

/**
 * Finds the calls that a text ends with.
 * @param names the tools that are offered
 * @returns null if there is none that can be understood: its tool is one of the offered ones, and its arguments are an object
 */
export function callsInText(text: string, names: ReadonlySet<string>): TextCalls | null {
  if (text.length > SERVER_LIMITS.modelTextCalls) return null
  for (const { begin, read } of FORMS) {
    const found = begin.exec(text)
    if (found === null || isQuoted(text, found.index)) continue
    const written = text.slice(found.index)
    const calls = read(written)?.map(({ tool, input }) => ({ tool: knownName(tool, names), input }))
    if (calls !== undefined && calls.length > 0 && calls.every(({ tool }) => names.has(tool)))
      return { said: text.slice(0, found.index).trim(), calls, written }
  }
  return null
}

/** Returns whether a text is a call, or has one at its end, rather than an answer; even if it cannot be read, or names no tool. */
export function looksLikeCall(whole: string): boolean {
  const text = endOf(whole.trimEnd(), SERVER_LIMITS.modelTextCalls)
  return FORMS.some(({ begin, read, bare }) => {
    const found = begin.exec(text)
    if (found === null || isQuoted(text, found.index)) return false
    return bare !== true || (read(text.slice(found.index))?.length ?? 0) > 0
  })
}

function withoutTags(text: string): string {
  return text.replaceAll(/<\/?[\w:]+\b[^>]*>/g, '\n')
}

/** A mark that an answer quotes, or shows between fences, is not one of its own. */
function isQuoted(text: string, index: number): boolean {
  if (/['"`]/.test(text[index - 1] ?? '')) return true
  const before = text.slice(0, index)
  const fences = before.match(/^\s*```/gm)?.length ?? 0
  // A fence right before the mark may be part of the call.
  return fences % 2 === 1 && !/```\w*\s*$/.test(before)
}

/** Some write the place of a tool before its name, or a number after it. */
function knownName(name: string, names: ReadonlySet<string>): string {
  if (names.has(name)) return name
  const short = name.replace(/^functions?\./, '').replace(/:\d+$/, '')
  return names.has(short) ? short : name
}

function fencedCalls(text: string): TextCall[] | null {
  const parts = [...text.matchAll(/```\w*[ \t]*\n([\s\S]*?)\n?```/g)]
  const rest = text.replaceAll(/```\w*[ \t]*\n[\s\S]*?\n?```/g, '').trim()
  if (rest !== '' || parts.length === 0) return null
  return all(parts.map(([, json = '']) => jsonCalls(json)))
}

/** Reads one or more calls that are JSON, one after the other or as a list. */
function jsonCalls(text: string): TextCall[] | null {
  const values = valuesIn(text)
  if (values === null) return null
  return all(values.flat().map((value) => callIn(value)))
}

function callIn(value: unknown): TextCall[] | null {
  if (!isObject(value)) return null
  const inner = isObject(value['function']) ? value['function'] : value
  if (!Object.keys(value).every((key) => OTHERS.has(key))) return null
  const tool = NAMES.map((key) => inner[key]).find((name) => typeof name === 'string') ?? value['function']
  const key = ARGUMENTS.find((name) => name in inner)
  if (typeof tool !== 'string' || key === undefined) return null
  const given = inner[key]
  const { input } = parseArguments(typeof given === 'string' ? given : JSON.stringify(given))
  return input === null ? null : [{ tool, input }]
}

/** Reads JSON values that stand one after the other; null if there is anything else. */
function valuesIn(text: string): unknown[] | null {
  const values: unknown[] = []
  let rest = text.trim()
  while (rest !== '') {
    const end = endOfValue(rest)
    if (end === null) return null
    try {
      values.push(parseWhole(rest.slice(0, end)))
    } catch {
      return null
    }
    rest = rest.slice(end).replace(/^[\s,;]+/, '')
  }
  return values
}

/** Returns where an object or a list at the beginning of a text ends; null if it does not. */
function endOfValue(text: string): number | null {
  if (!/^[[{]/.test(text)) return null
  let depth = 0
  for (const { 0: token, index } of text.matchAll(/"(?:[^"\\]|\\[\s\S])*"|[[\]{}]/g)) {
    if (token === '{' || token === '[') depth += 1
    else if (token === '}' || token === ']') depth -= 1
    if (depth === 0) return index + token.length
  }
  return null
}

/** `<function=NAME>{json}</function>`, or with a tag for each argument. */
function namedFunctions(text: string): TextCall[] | null {
  const found = [...text.matchAll(/<function=["']?([\w.:/-]+)["']?>([\s\S]*?)(?:<\/function>|(?=<function=)|$)/gi)]
  return all(
    found.map(([, tool = '', body = '']) => {
      // An argument that is cut off is not left out: that would be another call.
      if (count(body, /<parameter\b/gi) > count(body, /<\/parameter>/gi)) return null
      if (!/<parameter\b/i.test(body)) return withJson(tool, body.replaceAll(/<\/?tool_call>/gi, ''))
      const given = [...body.matchAll(/<parameter[= ](?:name=)?["']?([\w.-]+)["']?[^>]*>([\s\S]*?)<\/parameter>/gi)]
      return [{ tool, input: Object.fromEntries(given.map(([, name = '', value = '']) => [name, valueOf(value)])) }]
    }),
  )
}

/** `<invoke name="NAME"><parameter name="KEY">VALUE</parameter></invoke>`. */
function invocations(text: string): TextCall[] | null {
  const found = [...text.matchAll(/<invoke\s+name=["']?([^"'>]+)["']?\s*>([\s\S]*?)<\/invoke>/gi)]
  return all(
    found.map(([, tool = '', body = '']) => {
      const given = [
        ...body.matchAll(
          /<parameter\s+name=["']?([^"'>]+?)["']?(?:\s+string=["']?(true|false)["']?)?\s*>([\s\S]*?)<\/parameter>/gi,
        ),
      ]
      if (given.length === 0 && body.trim() !== '') return withJson(tool, body)
      const input = given.map(([, name = '', isText, value = '']) => [name, isText === 'true' ? value : valueOf(value)])
      return [{ tool, input: Object.fromEntries(input) as Record<string, unknown> }]
    }),
  )
}

/** `<tool_call>NAME<arg_key>KEY</arg_key><arg_value>VALUE</arg_value></tool_call>`. */
function glmCalls(text: string): TextCall[] | null {
  const found = [...text.matchAll(/<tool_call>\s*([\w.:-]+)([\s\S]*?)(?:<\/tool_call>|$)/gi)]
  return all(
    found.map(([, tool = '', body = '']) => {
      const given = [...body.matchAll(/<arg_key>([\s\S]*?)<\/arg_key>\s*<arg_value>([\s\S]*?)<\/arg_value>/gi)]
      return [{ tool, input: Object.fromEntries(given.map(([, name = '', value = '']) => [name.trim(), valueOf(value)])) }]
    }),
  )
}

/** `[TOOL_CALLS][{json}]`, or `[TOOL_CALLS]NAME[ARGS]{json}`. */
function mistralCalls(text: string): TextCall[] | null {
  const parts = text.split('[TOOL_CALLS]').filter((part) => part.trim() !== '')
  return all(
    parts.map((part) => {
      const [, tool, json = ''] = /^\s*([\w.-]+)\s*(?:\[CALL_ID\]\w+\s*)?(?:\[ARGS\])?\s*(\{[\s\S]*)$/.exec(part) ?? []
      return tool === undefined
        ? jsonCalls(part.replaceAll(/<\/s>|\[\/TOOL_CALLS\]/g, ''))
        : withJson(tool, json.replace(/<\/s>\s*$/, ''))
    }),
  )
}

/** `<|tool_call_begin|>functions.NAME:0<|tool_call_argument_begin|>{json}<|tool_call_end|>`. */
function kimiCalls(text: string): TextCall[] | null {
  const found = [
    ...text.matchAll(/<\|tool_call_begin\|>\s*([\w.:-]+)\s*<\|tool_call_argument_begin\|>([\s\S]*?)(?:<\|tool_call_end\|>|$)/g),
  ]
  return all(found.map(([, tool = '', json = '']) => withJson(tool, json)))
}

/** `<｜tool▁call▁begin｜>NAME<｜tool▁sep｜>{json}<｜tool▁call▁end｜>`; older ones say `function` first, and put the JSON between fences. */
function deepSeekCalls(text: string): TextCall[] | null {
  const found = [...text.matchAll(/<｜tool▁call▁begin｜>([\s\S]*?)<｜tool▁sep｜>([\s\S]*?)(?:<｜tool▁call▁end｜>|$)/g)]
  return all(
    found.map(([, first = '', rest = '']) => {
      const [, tool, json = ''] = /^\s*([\w.-]+)\s*\n([\s\S]*)$/.exec(rest) ?? []
      return tool === undefined ? withJson(first.trim(), rest) : withJson(tool, json)
    }),
  )
}

/** `<|channel|>commentary to=functions.NAME <|constrain|>json<|message|>{json}<|call|>`. */
function harmonyCalls(text: string): TextCall[] | null {
  const found = [...text.matchAll(/<\|channel\|>commentary to=([\w.-]+)[^{]*?<\|message\|>([\s\S]*?)(?:<\|call\|>|<\|end\|>|$)/g)]
  return all(found.map(([, tool = '', json = '']) => withJson(tool, json)))
}

function reactCalls(text: string): TextCall[] | null {
  const [, tool = '', json = ''] =
    /^Action:[ \t]*(\S+)[ \t]*\n+Action Input:\s*([\s\S]*?)(?:\n+Observation:[\s\S]*)?$/.exec(text) ?? []
  return withJson(tool, json)
}

function withJson(tool: string, json: string): TextCall[] | null {
  const { input } = parseArguments(json.trim())
  return input === null ? null : [{ tool, input }]
}

/** What stands between tags may be JSON, or a text that is not quoted. */
function valueOf(text: string): unknown {
  const value = text.replace(/^\n/, '').replace(/\n$/, '')
  if (!/^\s*([[{"]|-?\d|true\s*$|false\s*$|null\s*$)/.test(value)) return value
  try {
    return parseWhole(value)
  } catch {
    return value
  }
}

function count(text: string, what: RegExp): number {
  return text.match(what)?.length ?? 0
}

/** All of them, or none: half of what a model wanted would be something else. */
function all(parts: readonly (TextCall[] | null)[]): TextCall[] | null {
  return parts.every((part) => part !== null) ? parts.flat() : null
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
