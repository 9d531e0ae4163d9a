import type { MCPToolInfo } from '@orrery/aip'
import { runsProgram } from './program-outcome.js'
import { columnsOf, displayWidth } from '../terminal/format.js'
import { orrery } from '../terminal/invocation.js'
import { type Line, type Painted, paint, painted } from '../terminal/painted.js'
import { table } from '../terminal/table.js'

/** The widest that a text is shown, in columns. */
const WIDEST = 100
/** The narrowest that a meaning is wrapped to; in a narrower window it is cut. */
const NARROWEST = 24

type Schema = Readonly<Record<string, unknown>>

/** The names of a tool's arguments, those in brackets that may be left out. */
export function argumentsOf(tool: MCPToolInfo): string {
  const { needed, others } = namesOf(tool)
  return [...needed, ...others.map((name) => `[${name}]`)].join(' ')
}

/** Lines about one tool: what it does, its arguments, and an example that calls it. */
export function describeTool(tool: MCPToolInfo, device: string): Line[] {
  const { needed, others, properties } = namesOf(tool)
  const rows = [...needed, ...others].map((name) => {
    const schema = objectOf(properties[name])
    return [name, typeOf(schema), needed.includes(name) ? 'yes' : '', withDefault(schema)]
  })
  const name = tool.tool_type === 'action' ? tool.tool_name : tool.tool_key
  const example = Object.fromEntries(needed.map((each) => [each, exampleOf(objectOf(properties[each]))]))
  const argument = needed.length === 0 ? '' : ` '${JSON.stringify(example).replaceAll("'", String.raw`'\''`)}'`
  return [
    painted`${paint('bold', name)}  ${paint('dim', `${tool.namespace}, ${hintsOf(tool)}`)}`,
    ...wrapped(tool.description ?? '', Math.min(columnsOf(process.stdout, WIDEST), WIDEST)),
    '',
    ...(rows.length === 0 ? ['It takes no arguments.'] : argumentTable(rows)),
    '',
    paint('dim', 'Call it with:'),
    `  ${orrery(`call ${device} ${name}${argument}`)}`,
    ...(runsProgram(tool.tool_name) ? [`  ${orrery(`exec ${device} -- PROGRAM ARGUMENTS`)}`] : []),
  ]
}

function namesOf({ input_schema: schema }: MCPToolInfo): { needed: string[]; others: string[]; properties: Schema } {
  const properties = objectOf(schema?.['properties'])
  const required = schema?.['required']
  const names = Object.keys(properties)
  const needed = names.filter((name) => Array.isArray(required) && required.includes(name))
  return { needed, others: names.filter((name) => !needed.includes(name)), properties }
}

function hintsOf({ annotations }: MCPToolInfo): string {
  if (annotations?.['readOnlyHint'] === true) return 'only reads'
  return annotations?.['destructiveHint'] === false ? 'changes things, destroys nothing' : 'may change or delete things'
}

function typeOf(schema: Schema): string {
  const { type, enum: values, anyOf, items } = schema
  if (Array.isArray(values)) return values.map(String).join(' | ')
  if (type === 'array') return `list of ${typeOf(objectOf(items))}`
  if (typeof type === 'string') return type
  const kinds = Array.isArray(type) ? type : Array.isArray(anyOf) ? anyOf.map((each) => typeOf(objectOf(each))) : []
  return kinds.filter((kind) => kind !== 'null').join(' | ') || 'any'
}

function withDefault(schema: Schema): string {
  const { description, default: usual } = schema
  const text = typeof description === 'string' ? description : ''
  const shown = usual === undefined || usual === null || /default/i.test(text) ? '' : `default ${JSON.stringify(usual)}`
  return [text, shown].filter((part) => part !== '').join('; ')
}

function exampleOf(schema: Schema): unknown {
  const { enum: values } = schema
  if (Array.isArray(values)) return values[0]
  const type = typeOf(schema)
  if (/^(integer|number)/.test(type)) return 1
  if (type.startsWith('boolean')) return true
  if (type.startsWith('list')) return []
  return type.startsWith('object') ? {} : '…'
}

/** A table whose last column continues on lines of its own. */
function argumentTable(rows: readonly string[][]): Painted[] {
  const headers = ['ARGUMENT', 'TYPE', 'NEEDED', 'MEANING']
  const widths = headers.map((header, column) => Math.max(...[header, ...rows.map((row) => row[column] ?? '')].map(displayWidth)))
  const room = columnsOf(process.stdout, WIDEST) - widths.slice(0, -1).reduce((sum, each) => sum + each + 2, 0)
  const split = rows.flatMap(([name = '', type = '', needed = '', meaning = '']) =>
    wrapped(meaning, Math.max(room, NARROWEST)).map((line, index) =>
      index === 0 ? [name, type, needed, line] : ['', '', '', line],
    ),
  )
  return table(headers, split, [3])
}

/** A text in lines of at most this width. */
function wrapped(text: string, width: number): string[] {
  const lines: string[] = []
  for (const paragraph of text.trim().split('\n')) {
    let line = ''
    for (const word of paragraph.split(' ')) {
      if (line !== '' && line.length + word.length + 1 > width) {
        lines.push(line)
        line = word
      } else line = line === '' ? word : `${line} ${word}`
    }
    lines.push(line)
  }
  return lines
}

function objectOf(value: unknown): Schema {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}
