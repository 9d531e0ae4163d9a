import type { MCPToolInfo } from '@orrery/aip'
import { columnsOf } from '../terminal/format.js'
import { orrery } from '../terminal/invocation.js'
import { type Line, paint, painted } from '../terminal/painted.js'
import { table } from '../terminal/table.js'

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
    ...wrapped(tool.description ?? ''),
    '',
    ...(rows.length === 0 ? ['It takes no arguments.'] : table(['ARGUMENT', 'TYPE', 'NEEDED', 'MEANING'], rows, [3])),
    '',
    paint('dim', 'Call it with:'),
    `  ${orrery(`call ${device} ${name}${argument}`)}`,
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

/** A text in lines of at most 100 columns. */
function wrapped(text: string): string[] {
  const width = Math.min(columnsOf(process.stdout, 100), 100)
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
